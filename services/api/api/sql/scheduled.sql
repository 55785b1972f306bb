-- name: list_scheduled
-- A page of scheduled posts, the latest times first.
SELECT *, scheduled_time AS page_at, id AS page_key FROM scheduled_posts
WHERE scheduled_time <= $2 AND (scheduled_time, id) < ($2, $3)
  AND ($4::text IS NULL OR status = $4) AND ($5::text IS NULL OR platform = $5) AND ($6::text IS NULL OR target = $6)
  AND ($7::timestamptz IS NULL OR scheduled_time >= $7) AND ($8::timestamptz IS NULL OR scheduled_time < $8)
  AND ($9::uuid IS NULL OR post_id = $9) AND ($10::uuid IS NULL OR content_id = $10)
  AND ($11::uuid IS NULL OR rule_id = $11)
ORDER BY page_at DESC, page_key DESC LIMIT $1
