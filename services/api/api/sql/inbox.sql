-- name: list_held
-- A page of posts that wait for a person's decision, the latest first: each with what the route has that held it last. The
-- partial index is read in order, so that a page costs the same whatever else there is.
SELECT p.id, p.source_id, coalesce(nullif(s.title, ''), s.address, '') AS source, coalesce(s.address, '') AS address,
       p.title AS original_title, p.collected_at, r.decided_at AS at, r.decision, r.reason, r.decided_by, r.route_id,
       r.rewrite_id, w.title AS rewrite_title, coalesce(e.text, w.text) AS text,
       coalesce(e.entities, w.entities) AS entities, e.title AS edit_title, e.edited_by,
       ARRAY(SELECT DISTINCT t FROM routings o CROSS JOIN unnest(o.targets) t
             WHERE o.post_id = p.id AND o.decision IN ('hold', 'rewrite') ORDER BY t) AS targets,
       (SELECT count(*) FROM routings o WHERE o.post_id = p.id AND o.decision IN ('hold', 'rewrite')) AS routes,
       EXISTS (SELECT FROM attachments a WHERE a.post_id = p.id AND (a.place IN ('post', 'rewrite/' || r.rewrite_id)
                                                                     OR a.place LIKE 'source/%')) AS has_image,
       r.decided_at + t.approval_expires_hours * interval '1 hour' AS expires_at,
       r.decision = 'rewrite' AND EXISTS (SELECT FROM jobs j WHERE j.post_id = p.id AND j.consumer = 'rewriter-again'
                                                             AND j.status = 'failed') AS rewrite_failed,
       r.decided_at AS page_at, p.id AS page_key
FROM routings r
JOIN posts p ON p.id = r.post_id AND p.duplicate_of IS NULL
LEFT JOIN sources s ON s.id = p.source_id
LEFT JOIN routes t ON t.id = r.route_id
LEFT JOIN rewrites w ON w.id = r.rewrite_id
LEFT JOIN LATERAL (
    SELECT title, text, entities, edited_by FROM post_edits
    WHERE post_id = p.id AND (rewrite_id IS NULL OR rewrite_id = r.rewrite_id)
    ORDER BY rewrite_id IS NULL, edited_at DESC LIMIT 1) e ON true
WHERE r.decision IN ('hold', 'rewrite') AND r.decided_at <= $2 AND (r.decided_at, r.post_id) < ($2, $3)
  AND ($4::uuid IS NULL OR r.post_id = $4)
  AND NOT EXISTS (SELECT FROM routings o WHERE o.post_id = r.post_id AND o.decision IN ('hold', 'rewrite')
                                           AND (o.decided_at, o.route_id) > (r.decided_at, r.route_id))
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: list_rejected
-- A page of posts that were rejected for a route, by a person or because nobody approved them in time, the latest first.
SELECT p.id, p.source_id, coalesce(nullif(s.title, ''), s.address, '') AS source, coalesce(s.address, '') AS address,
       p.title AS original_title, p.collected_at, r.decided_at AS at, r.decision, r.reason, r.decided_by, r.route_id,
       r.rewrite_id, w.title AS rewrite_title, coalesce(e.text, w.text) AS text,
       coalesce(e.entities, w.entities) AS entities, e.title AS edit_title, e.edited_by, r.targets, 1 AS routes,
       EXISTS (SELECT FROM attachments a WHERE a.post_id = p.id AND (a.place IN ('post', 'rewrite/' || r.rewrite_id)
                                                                     OR a.place LIKE 'source/%')) AS has_image,
       NULL::timestamptz AS expires_at, false AS rewrite_failed, r.decided_at AS page_at, p.id AS page_key
FROM routings r
JOIN posts p ON p.id = r.post_id
LEFT JOIN sources s ON s.id = p.source_id
LEFT JOIN rewrites w ON w.id = r.rewrite_id
LEFT JOIN LATERAL (
    SELECT title, text, entities, edited_by FROM post_edits
    WHERE post_id = p.id AND (rewrite_id IS NULL OR rewrite_id = r.rewrite_id)
    ORDER BY rewrite_id IS NULL, edited_at DESC LIMIT 1) e ON true
WHERE r.decision = 'reject' AND r.decided_at <= $2 AND (r.decided_at, r.post_id) < ($2, $3)
  AND ($4::uuid IS NULL OR r.post_id = $4)
  AND NOT EXISTS (SELECT FROM routings o WHERE o.post_id = r.post_id AND o.decision = 'reject'
                                           AND (o.decided_at, o.route_id) > (r.decided_at, r.route_id))
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: list_planned
-- A page of posts that wait for their time, the next one first, each with its next plan. Pages go backwards in time, so
-- that a time stands on them mirrored: as far from 4000 as it is from 2000.
SELECT p.id, p.source_id, coalesce(nullif(s.title, ''), s.address, '') AS source, coalesce(s.address, '') AS address,
       p.title AS original_title, p.collected_at, d.scheduled_time AS at, 'schedule' AS decision,
       coalesce(d.last_error, '') AS reason, d.created_by AS decided_by, d.route_id, w.id AS rewrite_id,
       w.title AS rewrite_title, coalesce(e.text, w.text, p.text) AS text,
       coalesce(e.entities, w.entities, p.entities) AS entities, e.title AS edit_title, e.edited_by,
       ARRAY(SELECT o.target FROM scheduled_posts o WHERE o.post_id = p.id AND o.status = 'scheduled'
             ORDER BY o.scheduled_time, o.target) AS targets, 1 AS routes,
       EXISTS (SELECT FROM attachments a WHERE a.post_id = p.id AND (a.place IN ('post', 'rewrite/' || w.id)
                                                                     OR a.place LIKE 'source/%')) AS has_image,
       NULL::timestamptz AS expires_at, false AS rewrite_failed,
       mirrored.at AS page_at, d.id AS page_key
FROM scheduled_posts d
CROSS JOIN LATERAL (SELECT (timestamp '4000-01-01' - (d.scheduled_time AT TIME ZONE 'UTC' - timestamp '2000-01-01'))
                           AT TIME ZONE 'UTC' AS at) AS mirrored
JOIN posts p ON p.id = d.post_id
LEFT JOIN sources s ON s.id = p.source_id
LEFT JOIN LATERAL (
    SELECT id, title, text, entities FROM rewrites
    WHERE post_id = p.id AND status = 'succeeded' AND (d.rewrite_id IS NULL OR id = d.rewrite_id)
    ORDER BY created_at DESC LIMIT 1) w ON true
LEFT JOIN LATERAL (
    SELECT title, text, entities, edited_by FROM post_edits
    WHERE post_id = p.id AND (rewrite_id IS NULL OR rewrite_id = w.id)
    ORDER BY rewrite_id IS NULL, edited_at DESC LIMIT 1) e ON true
WHERE d.status = 'scheduled' AND ($4::uuid IS NULL OR d.post_id = $4)
  AND d.scheduled_time >= (timestamp '2000-01-01' + (timestamp '4000-01-01' - $2::timestamptz AT TIME ZONE 'UTC'))
                          AT TIME ZONE 'UTC'
  AND (mirrored.at, d.id) < ($2, $3)
  AND NOT EXISTS (SELECT FROM scheduled_posts o WHERE o.post_id = d.post_id AND o.status = 'scheduled'
                                                  AND (o.scheduled_time, o.id) < (d.scheduled_time, d.id))
ORDER BY d.scheduled_time, d.id DESC LIMIT $1

-- name: counts
-- How many posts wait for a decision, wait for their time, and were rejected; each counted up to $1.
SELECT (SELECT count(*) FROM (SELECT DISTINCT post_id FROM (
            SELECT post_id FROM routings WHERE decision IN ('hold', 'rewrite') LIMIT 2 * $1) AS newest LIMIT $1) AS held)
           AS awaiting,
       (SELECT count(*) FROM (SELECT DISTINCT post_id FROM (
            SELECT post_id FROM scheduled_posts WHERE status = 'scheduled' LIMIT 4 * $1) AS next LIMIT $1) AS planned)
           AS scheduled,
       (SELECT count(*) FROM (SELECT FROM routings WHERE decision = 'reject' LIMIT $1) AS rejected) AS rejected

-- name: decided
-- What was decided of a post that may be taken back, and who did: by people, or because nobody decided in time. Locked.
SELECT route_id, rewrite_id, decision, decided_at, decided_by, targets FROM routings
WHERE post_id = $1 AND ($2::uuid IS NULL OR route_id = $2)
  AND (decision = 'reject' OR decided_by IS NOT NULL AND decision IN ('publish', 'schedule', 'rewrite'))
ORDER BY decided_at DESC, route_id FOR UPDATE

-- name: hold_again
-- Takes back what was decided of a post for a route.
SELECT hold_routing($1, $2, $3, $4, $5) AS held

-- name: plans
-- The plans of a post at targets that were made for a rewrite of it, as they stand.
SELECT DISTINCT ON (target) id, target, status, url FROM scheduled_posts
WHERE post_id = $1 AND target = ANY($2::text[]) AND status IN ('scheduled', 'publishing', 'published')
ORDER BY target, created_at DESC, id

-- name: sent
-- The publications of a package, as they stand. Locked, so that whoever takes one on now comes later.
SELECT q.id, q.destination, q.status, q.url FROM publications q WHERE q.package_id = $1 ORDER BY q.id FOR UPDATE

-- name: call_off_package
-- Calls off what is queued of a package.
UPDATE publications
SET status = 'cancelled', finished_at = now(), due_at = now(), last_error = 'called off by ' || $2
WHERE package_id = $1 AND status = 'queued'
RETURNING destination

-- name: package
-- Whether a publish request was stored by the publisher.
SELECT status FROM publish_packages WHERE id = $1

-- name: forestall
-- Ends work that nobody has begun, so that its message finds it ended. No row where somebody has.
INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status, trouble, attempts, error_class, last_error, finished_at)
VALUES ($1, $2, $3, $4, $5, 'cancelled', 'cancelled', 0, 'Cancelled', 'called off by ' || $6, now())
ON CONFLICT DO NOTHING RETURNING event_id

-- name: targets
-- Where a route sends a post.
SELECT targets FROM routings WHERE post_id = $1 AND route_id = $2
