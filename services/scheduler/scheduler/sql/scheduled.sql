-- name: next
-- The seconds until the next scheduled post is due, negative where one is; NULL where none waits.
SELECT extract(epoch FROM due_at - coalesce($1::timestamptz, statement_timestamp()))::float8 AS seconds
FROM scheduled_posts WHERE status = 'scheduled' ORDER BY due_at LIMIT 1

-- name: in_order
-- Waits until no other replica takes posts that are due; until the transaction ends, none will.
SELECT pg_advisory_xact_lock(hashtextextended('scheduled_posts', 0))

-- name: due
-- Takes the first post that is due of each target, and leaves those that a person is changing at this moment. The next one
-- of a target is taken when the publisher has done with the request of the one before (stored it, or asked for an image
-- first), so that they are sent in order whoever dies meanwhile; nobody waits for a request for longer than ten minutes. Targets are found by hopping through the index.
-- With what stands in the way: a content that is not written, or its image, which is waited for during ten minutes from
-- when the post was due and written.
WITH RECURSIVE targets AS (
    (SELECT target FROM scheduled_posts WHERE status = 'scheduled' ORDER BY target LIMIT 1)
    UNION ALL
    SELECT (SELECT s.target FROM scheduled_posts s WHERE s.status = 'scheduled' AND s.target > t.target
            ORDER BY s.target LIMIT 1)
    FROM targets t WHERE t.target IS NOT NULL
), taken AS MATERIALIZED (
    SELECT first.* FROM targets t CROSS JOIN LATERAL (
        SELECT id, post_id, content_id, rewrite_id, s.target, version, scheduled_time, due_at, created_at, traceparent
        FROM scheduled_posts s
        WHERE s.target = t.target AND s.status = 'scheduled'
          AND s.due_at <= coalesce($1::timestamptz, statement_timestamp())
        ORDER BY s.target, due_at, created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) AS first
    WHERE NOT EXISTS (
        SELECT FROM scheduled_posts o
        WHERE o.target = t.target AND o.status = 'publishing' AND o.updated_at > statement_timestamp() - interval '10 minutes'
          AND NOT EXISTS (SELECT FROM publish_packages p WHERE p.id = o.request_id)
          AND NOT EXISTS (SELECT FROM jobs j WHERE j.consumer = 'publisher' AND j.event_id = o.request_id
                                               AND j.status IN ('succeeded', 'failed', 'cancelled')))
)
SELECT t.id, t.post_id, t.rewrite_id, t.target, t.version, t.traceparent, c.status AS content_status, c.reason AS content_reason,
       coalesce(k.illustrate, false)
       AND greatest(t.scheduled_time, (SELECT max(r.created_at) FROM rewrites r
                                       WHERE r.post_id = t.post_id AND r.status = 'succeeded'))
           > coalesce($1::timestamptz, statement_timestamp()) - interval '10 minutes'
       AND NOT EXISTS (SELECT FROM attachments a WHERE a.post_id = t.post_id)
       AND NOT EXISTS (SELECT FROM illustrations i WHERE i.post_id = t.post_id AND i.status = 'failed') AS lacks_image
FROM taken t LEFT JOIN contents k ON k.id = t.content_id
LEFT JOIN content_states c ON c.content_id = t.content_id
ORDER BY t.due_at, t.created_at, t.id

-- name: take
-- Marks posts as being published, under the ids of their requests.
UPDATE scheduled_posts AS s
SET status = 'publishing', request_id = t.request_id, version = version + 1, updated_at = clock_timestamp()
FROM unnest($1::uuid[], $2::text[]) AS t (id, request_id) WHERE s.id = t.id

-- name: postpone
-- Puts posts off whose content or image is not there yet.
UPDATE scheduled_posts AS s
SET due_at = coalesce($3::timestamptz, statement_timestamp()) + $4 * interval '1 second', last_error = p.reason,
    updated_at = clock_timestamp()
FROM unnest($1::uuid[], $2::text[]) AS p (id, reason) WHERE s.id = p.id

-- name: give_up
-- Ends posts that can't be published, as what they are.
UPDATE scheduled_posts AS s
SET status = g.status, last_error = g.reason, version = version + 1, updated_at = clock_timestamp()
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS g (id, status, reason) WHERE s.id = g.id

-- name: wake
-- Makes posts due again that were put off: their content or image has come. It waits for whoever puts them off now. One
-- that no request has planned, but a rule, goes on in the trace of what has come.
UPDATE scheduled_posts AS s SET due_at = s.scheduled_time, traceparent = coalesce(s.traceparent, came.traceparent)
FROM unnest($1::uuid[], $2::text[]) AS came (post_id, traceparent)
WHERE s.post_id = came.post_id AND s.status = 'scheduled' AND s.attempts = 0

-- name: leftovers
-- Requests that were stored and not published: a replica died, or the stream was away. In their order.
SELECT o.id, o.consumer, o.cause_id, o.subject, o.headers, o.payload
FROM outbox o JOIN scheduled_posts s ON s.request_id = o.id
WHERE o.consumer = $1 ORDER BY s.due_at, s.created_at, s.id LIMIT $2

-- name: publishing
-- The scheduled post of a request, with how its publication stands.
SELECT s.id, s.post_id, s.target, s.attempts, s.request_id, p.status AS publication, p.message_ids, p.url
FROM scheduled_posts s LEFT JOIN publications p ON p.post_id = s.post_id AND p.destination = s.target
WHERE s.request_id = $1 AND s.status = 'publishing'

-- name: lost
-- Posts that are being published although their requests have ended a while ago: as dead letters, or untold. One that
-- the publisher has an image made for first ends with the request for that.
SELECT s.id, s.post_id, s.target, s.attempts, s.request_id, s.traceparent, p.status AS publication, p.message_ids, p.url,
       coalesce(k.reason, p.last_error, j.last_error, 'its image could not be made: ' || i.last_error,
                'the request has ended') AS error,
       CASE WHEN k.id IS NULL THEN j.status ELSE k.status END AS ended
FROM scheduled_posts s
LEFT JOIN publications p ON p.post_id = s.post_id AND p.destination = s.target
LEFT JOIN publish_packages k ON k.id = s.request_id
LEFT JOIN jobs j ON j.consumer = 'publisher' AND j.event_id = s.request_id
LEFT JOIN LATERAL (
    SELECT last_error, finished_at FROM jobs i
    WHERE i.post_id = s.post_id AND i.consumer = 'imagegen' AND i.status IN ('failed', 'cancelled')
      AND i.finished_at > j.finished_at AND j.status = 'succeeded'
    ORDER BY finished_at DESC LIMIT 1) AS i ON k.id IS NULL
WHERE s.status = 'publishing' AND s.updated_at < now() - $1 * interval '1 second'
  AND (k.finished_at < now() - $1 * interval '1 second'
       OR k.id IS NULL AND j.status IN ('failed', 'cancelled') AND j.finished_at < now() - $1 * interval '1 second'
       OR i.finished_at < now() - $1 * interval '1 second')
ORDER BY s.updated_at LIMIT 100

-- name: settle
-- Ends posts whose request has ended.
UPDATE scheduled_posts AS s
SET status = o.status, attempts = o.attempts, message_ids = o.message_ids::bigint[], url = o.url, last_error = o.error,
    published_at = CASE o.status WHEN 'published' THEN clock_timestamp() END, version = version + 1,
    updated_at = clock_timestamp()
FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[])
     AS o (request_id, status, attempts, message_ids, url, error)
WHERE s.request_id = o.request_id AND s.status = 'publishing'

-- name: again
-- Plans posts anew whose request came to nothing.
UPDATE scheduled_posts AS s
SET status = 'scheduled', attempts = o.attempts, due_at = clock_timestamp() + o.seconds * interval '1 second',
    last_error = o.error, version = version + 1, updated_at = clock_timestamp()
FROM unnest($1::text[], $2::int[], $3::float8[], $4::text[]) AS o (request_id, attempts, seconds, error)
WHERE s.request_id = o.request_id AND s.status = 'publishing'

-- name: mend
-- Takes what failed for published where another request has published it since; also what waits for an image still.
UPDATE scheduled_posts AS s
SET status = 'published', message_ids = p.message_ids, url = p.url, published_at = p.finished_at, version = version + 1,
    updated_at = clock_timestamp()
FROM unnest($1::uuid[]) AS told (post_id), publications p
WHERE s.post_id = told.post_id
  AND (s.status = 'failed'
       OR s.status = 'publishing' AND NOT EXISTS (SELECT FROM publish_packages k WHERE k.id = s.request_id))
  AND p.post_id = s.post_id AND p.destination = s.target AND p.status = 'succeeded' AND NOT p.take_back

-- name: expire
-- Rejects what nobody has approved in time.
UPDATE routings AS r
SET decision = 'reject', decided_at = now(),
    reason = format('nobody approved it within %s hours', routes.approval_expires_hours)
FROM routes
WHERE routes.id = r.route_id AND r.decision = 'hold'
  AND r.decided_at <= coalesce($1::timestamptz, statement_timestamp()) - routes.approval_expires_hours * interval '1 hour'
RETURNING r.post_id, r.route_id, r.rewrite_id, r.reason, r.traceparent, routes.name AS route

-- name: next_expiry
-- The seconds until the next approval expires; NULL where none does.
SELECT extract(epoch FROM min(r.decided_at + routes.approval_expires_hours * interval '1 hour')
                          - coalesce($1::timestamptz, statement_timestamp()))::float8 AS seconds
FROM routings r JOIN routes ON routes.id = r.route_id WHERE r.decision = 'hold'
