-- name: list_broadcasts
-- A page of broadcasts.
SELECT *, created_at AS page_at, id AS page_key FROM userbot_tasks
WHERE created_at <= $2 AND (created_at, id) < ($2, $3)
  AND ($4::text IS NULL OR status = $4) AND ($5::uuid IS NULL OR post_id = $5)
ORDER BY page_at DESC, page_key DESC LIMIT $1
