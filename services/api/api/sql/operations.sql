-- name: list_operations
-- A page of bulk operations.
SELECT *, created_at AS page_at, id AS page_key FROM bulk_operations
WHERE created_at <= $2 AND (created_at, id) < ($2, $3::text::uuid)
  AND ($4::text IS NULL OR status = $4) AND ($5::text IS NULL OR kind = $5)
ORDER BY page_at DESC, page_key DESC LIMIT $1
