-- name: default_destination
-- The default destination of a platform, whatever name it goes by.
SELECT address FROM destinations WHERE is_default AND split_part(address, ':', 1) = ANY($1::text[]) LIMIT 1

-- name: material
-- What would be published of a post, given or that of a content, with the given rewrite or the newest: what a person
-- wrote in its place comes first. `media` is what can be attached, `image` what was made for it.
SELECT p.id AS post_id, p.duplicate_of, p.title, p.text, p.entities, c.id AS content_id, c.illustrate,
       s.status AS content_status, s.reason AS content_reason,
       w.id AS rewrite_id, w.text AS rewritten, w.entities AS rewritten_entities,
       e.text AS edited, e.entities AS edited_entities,
       (SELECT jsonb_agg(jsonb_build_object('kind', m.kind, 'hash', a.hash,
                                            'url', CASE WHEN a.hash IS NULL AND f.post_id IS NULL
                                                        THEN m.reference ->> 'url' END) ORDER BY m.position)
        FROM post_media m
        LEFT JOIN attachments a ON a.post_id = m.post_id AND a.place = 'source/' || m.position
        LEFT JOIN media_fetches f ON f.post_id = m.post_id AND f.position = m.position
        WHERE m.post_id = p.id) AS media,
       (SELECT a.hash FROM attachments a WHERE a.post_id = p.id AND a.place IN ('post', 'rewrite/' || w.id)
        ORDER BY a.place = 'post' LIMIT 1) AS image
FROM posts p
LEFT JOIN contents c ON c.post_id = p.id
LEFT JOIN content_states s ON s.content_id = c.id
LEFT JOIN LATERAL (
    SELECT id, text, entities FROM rewrites
    WHERE post_id = p.id AND status = 'succeeded' AND ($3::uuid IS NULL OR id = $3)
    ORDER BY created_at DESC LIMIT 1) w ON true
LEFT JOIN LATERAL (
    SELECT text, entities FROM post_edits WHERE post_id = p.id AND (rewrite_id IS NULL OR rewrite_id = w.id)
    ORDER BY rewrite_id IS NULL, edited_at DESC LIMIT 1) e ON true
WHERE p.id = $1 OR c.id = $2

-- name: published_there
-- Whether a post is at a target already.
SELECT url FROM publications WHERE post_id = $1 AND destination = $2 AND status = 'succeeded'

-- name: plan
-- Plans a post, unless it is planned for this target already, or its slot is taken.
INSERT INTO scheduled_posts (post_id, content_id, rewrite_id, route_id, rule_id, platform, target, scheduled_time, due_at,
                             slot_key, created_by, traceparent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11)
ON CONFLICT DO NOTHING RETURNING id

-- name: open_plan
-- The plan of a post for a target that has not ended.
SELECT id, status, scheduled_time FROM scheduled_posts
WHERE post_id = $1 AND target = $2 AND status IN ('scheduled', 'publishing')

-- name: get
-- One scheduled post.
SELECT * FROM scheduled_posts WHERE id = $1

-- name: reschedule
-- Changes a post that waits for its time. Whoever takes it at the same moment is first or second, never both.
UPDATE scheduled_posts
SET scheduled_time = $2, due_at = $2, platform = $3, target = $4, rewrite_id = $5, attempts = 0, last_error = NULL,
    slot_key = CASE WHEN (scheduled_time, target) = ($2, $4) THEN slot_key END, version = version + 1, updated_at = now()
WHERE id = $1 AND status = 'scheduled' RETURNING id

-- name: cancel
-- Calls a post off that waits for its time, or that failed; its slot is free again.
UPDATE scheduled_posts
SET status = 'cancelled', slot_key = NULL, last_error = coalesce(last_error || '; ', '') || 'called off by ' || $2,
    version = version + 1, updated_at = now()
WHERE id = $1 AND status IN ('scheduled', 'failed') RETURNING id

-- name: retry
-- Plans a post anew, for now, that failed or was called off; from then on it belongs to the given trace, if there is one.
UPDATE scheduled_posts
SET status = 'scheduled', due_at = clock_timestamp(), attempts = 0, traceparent = coalesce($2, traceparent),
    version = version + 1, updated_at = now()
WHERE id = $1 AND status IN ('failed', 'cancelled') RETURNING id

-- name: publish_now
-- Makes a post due that waits for its time; its slot is free again. From then on it belongs to the given trace, if there
-- is one.
UPDATE scheduled_posts
SET scheduled_time = least(scheduled_time, clock_timestamp()), due_at = clock_timestamp(), slot_key = NULL,
    traceparent = coalesce($2, traceparent), version = version + 1, updated_at = now()
WHERE id = $1 AND status = 'scheduled' RETURNING id

-- name: alone_at
-- Waits until nobody else looks for a slot of this target; until the transaction ends, nobody will.
SELECT pg_advisory_xact_lock(hashtextextended('slot/' || $1::text, 0))

-- name: adopt
-- Gives the plan of a post for a target the newer rewrite, and returns it; no row where there is none.
UPDATE scheduled_posts AS s
SET rewrite_id = CASE WHEN EXISTS (SELECT FROM rewrites old, rewrites new
                                   WHERE old.id = s.rewrite_id AND new.id = $3
                                     AND (old.created_at, old.id) > (new.created_at, new.id))
                      THEN s.rewrite_id ELSE $3 END,
    version = version + 1, updated_at = now()
WHERE post_id = $1 AND target = $2 AND status IN ('scheduled', 'publishing')
RETURNING id, scheduled_time

-- name: occupied
-- The times at a target that are taken, from some time on.
SELECT scheduled_time FROM scheduled_posts
WHERE target = $1 AND scheduled_time >= $2 AND status IN ('scheduled', 'publishing', 'published')
ORDER BY scheduled_time

-- name: workers
-- Each worker with its replicas that beat within the last 15 seconds.
SELECT worker, bool_or(running AND fresh) AS running, max(last_beat) AS last_beat,
       min(next_run) FILTER (WHERE running AND fresh) AS next_run,
       count(*) FILTER (WHERE running AND fresh) AS replicas
FROM (SELECT *, last_beat > now() - interval '15 seconds' AS fresh FROM worker_beats) AS beats
GROUP BY worker
