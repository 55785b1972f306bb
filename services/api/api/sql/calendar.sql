-- name: posts
-- The posts of some days: of each day the first ones ($2), with how many it has. $1 are the instants at which the days
-- begin, and at last the one at which the last of them ends; $3 are the targets, NULL for all. A post that was never
-- planned stands where it was published. What is shown is looked up one by one (OFFSET 0): it is a small part of what there
-- is, which the planner can't know.
WITH found AS (
    SELECT s.id, s.post_id, s.target, s.scheduled_time AS at
    FROM scheduled_posts s
    WHERE s.scheduled_time >= ($1::timestamptz[])[1] AND s.scheduled_time < ($1::timestamptz[])[cardinality($1)]
      AND s.status <> 'cancelled' AND ($3::text[] IS NULL OR s.target = ANY ($3))
    UNION ALL
    SELECT NULL, q.post_id, q.destination, q.finished_at
    FROM publications q
    WHERE q.finished_at >= ($1::timestamptz[])[1] AND q.finished_at < ($1::timestamptz[])[cardinality($1)]
      AND q.status = 'succeeded' AND ($3::text[] IS NULL OR q.destination = ANY ($3))
      AND NOT EXISTS (SELECT FROM scheduled_posts s
                      WHERE s.post_id = q.post_id AND s.target = q.destination AND s.status <> 'cancelled')
), placed AS (
    SELECT *, width_bucket(at, $1::timestamptz[]) AS day FROM found
), counted AS (
    SELECT *, row_number() OVER (PARTITION BY day ORDER BY at, target COLLATE "C", post_id) AS place,
           count(*) OVER (PARTITION BY day) AS of_day
    FROM placed
)
SELECT n.day, n.of_day, n.at, n.post_id AS shown_post_id, n.target AS shown_target, to_jsonb(s) - 'traceparent' AS scheduled,
       coalesce(s.url, q.url) AS shown_url,
       coalesce(nullif(e.title, ''), nullif(w.title, ''), nullif(c.title, ''), p.title) AS title,
       left(coalesce(e.text, w.text, nullif(p.text, ''), c.description, ''), 200) AS excerpt,
       (SELECT a.hash FROM attachments a WHERE a.post_id = p.id AND a.place IN ('post', 'rewrite/' || w.id, 'source/0')
        ORDER BY a.place = 'post' DESC, a.place LIMIT 1) AS image
FROM counted n
JOIN LATERAL (SELECT * FROM posts WHERE id = n.post_id OFFSET 0) p ON true
LEFT JOIN LATERAL (SELECT * FROM scheduled_posts WHERE id = n.id OFFSET 0) s ON true
LEFT JOIN LATERAL (SELECT url FROM publications WHERE post_id = n.post_id AND destination = n.target AND n.id IS NULL
                   OFFSET 0) q ON true
LEFT JOIN LATERAL (SELECT title, description FROM contents WHERE post_id = n.post_id OFFSET 0) c ON true
LEFT JOIN LATERAL (
    SELECT r.id, r.title, r.text FROM rewrites r
    WHERE r.post_id = p.id AND r.status = 'succeeded' AND (s.rewrite_id IS NULL OR r.id = s.rewrite_id)
    ORDER BY r.created_at DESC LIMIT 1) w ON true
LEFT JOIN LATERAL (
    SELECT x.title, x.text FROM post_edits x WHERE x.post_id = p.id AND (x.rewrite_id IS NULL OR x.rewrite_id = w.id)
    ORDER BY x.rewrite_id IS NULL, x.edited_at DESC LIMIT 1) e ON true
WHERE n.place <= $2
ORDER BY n.day, n.place

-- name: targets
-- Where posts go: the destinations, and what is planned elsewhere in some time.
SELECT address AS target, title FROM destinations
UNION
SELECT target, '' FROM (SELECT DISTINCT target FROM scheduled_posts
                        WHERE scheduled_time >= $1 AND scheduled_time < $2 AND status <> 'cancelled') s
WHERE NOT EXISTS (SELECT FROM destinations d WHERE d.address = s.target)
ORDER BY target LIMIT 200

-- name: rules
-- The active rules, the next ones first, as many as a calendar shows.
SELECT id, name, schedule_type, schedule_config, platforms FROM auto_posting_rules
WHERE is_active AND next_execution_at IS NOT NULL AND next_execution_at < $1
ORDER BY next_execution_at, id LIMIT $2

-- name: routes_with_slots
-- The routes whose posts go out at slots, as many as a calendar shows.
SELECT id, name, targets, slots FROM routes WHERE enabled AND slots IS NOT NULL ORDER BY name, id LIMIT $1
