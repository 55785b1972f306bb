-- name: add_routing
-- Records what routes decided. A post that is rewritten again for the same route is decided anew; the newest rewrite
-- counts, in whatever order they are heard of, and what was decided for it does not wait for its image again.
INSERT INTO routings AS r (post_id, route_id, rewrite_id, decision, reason, targets, traceparent)
SELECT post_id, route_id, rewrite_id, decision, reason, ARRAY(SELECT json_array_elements_text(targets::json)), traceparent
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
     AS decided (post_id, route_id, rewrite_id, decision, reason, targets, traceparent)
ON CONFLICT (post_id, route_id) DO UPDATE
SET rewrite_id = excluded.rewrite_id, decision = excluded.decision, reason = excluded.reason,
    targets = excluded.targets, traceparent = excluded.traceparent, decided_at = now(), decided_by = NULL
WHERE NOT (r.rewrite_id = excluded.rewrite_id AND excluded.decision = 'illustrate')
  AND NOT EXISTS (SELECT FROM rewrites known, rewrites given
                  WHERE known.id = r.rewrite_id AND given.id = excluded.rewrite_id
                    AND (known.created_at, known.id) > (given.created_at, given.id))

-- name: settle
-- Changes decisions that are still what they were.
UPDATE routings AS r SET decision = s.decision, reason = s.reason, decided_at = now()
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[]) AS s (post_id, rewrite_id, was, decision, reason)
WHERE r.post_id = s.post_id AND r.rewrite_id = s.rewrite_id AND r.decision = s.was

-- name: standing
-- A rewrite's route with its routing, which may be that of an older or a newer rewrite, or missing.
SELECT w.post_id, w.route_id, r.rewrite_id, r.targets, r.decision, r.reason, r.traceparent,
       coalesce((other.created_at, other.id) > (w.created_at, w.id), false) AS newer
FROM rewrites w
LEFT JOIN routings r ON r.post_id = w.post_id AND r.route_id = w.route_id
LEFT JOIN rewrites other ON other.id = r.rewrite_id
WHERE w.post_id = $1 AND w.id = $2

-- name: routings
-- The routings of a post, or only that of one rewrite.
SELECT post_id, route_id, rewrite_id, targets, decision, reason, traceparent FROM routings
WHERE post_id = $1 AND ($2::uuid IS NULL OR rewrite_id = $2) ORDER BY decided_at, route_id

-- name: unread_sources
-- Finds the enabled sources that were never read.
SELECT s.id FROM sources s LEFT JOIN source_states st ON st.source_id = s.id
WHERE s.enabled AND s.kind <> 'import' AND st.last_run_at IS NULL

-- name: plans_without_image
-- Scheduled posts whose requests the publisher has put aside until their image is made.
SELECT s.target, s.request_id FROM scheduled_posts s
WHERE s.post_id = $1 AND s.target = ANY($2::text[]) AND s.status = 'publishing'
  AND NOT EXISTS (SELECT FROM publish_packages k WHERE k.id = s.request_id)
  AND EXISTS (SELECT FROM jobs j WHERE j.consumer = 'publisher' AND j.event_id = s.request_id AND j.status = 'succeeded')

-- name: resume_plans
-- Lets scheduled posts be requested again that waited for their image at the publisher.
UPDATE scheduled_posts AS s
SET status = 'scheduled', due_at = clock_timestamp(), version = version + 1, updated_at = clock_timestamp()
FROM unnest($1::text[]) AS w (request_id) WHERE s.request_id = w.request_id AND s.status = 'publishing'

-- name: fail_plans
-- Ends scheduled posts that must not be published without the image that they waited for.
UPDATE scheduled_posts AS s
SET status = 'failed', last_error = w.reason, version = version + 1, updated_at = clock_timestamp()
FROM unnest($1::text[], $2::text[]) AS w (request_id, reason)
WHERE s.request_id = w.request_id AND s.status = 'publishing'
