-- name: lock
-- Locks packages before their publications change: who comes second sees what the first one did.
SELECT id FROM publish_packages WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE

-- name: record
-- Records how publications ended; what was sent for a package that has failed meanwhile is to be taken back.
UPDATE publications AS p
SET status = r.status, message_ids = r.message_ids::bigint[], url = r.url, last_error = r.error, due_at = now(),
    attempts = p.attempts + r.failed, finished_at = CASE WHEN r.status <> 'unknown' THEN now() END,
    take_back = r.status = 'succeeded' AND k.failure IS NOT NULL
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[])
     AS r (id, generation, status, message_ids, url, error, failed),
     publish_packages k
WHERE p.id = r.id AND p.generation = r.generation AND p.status = 'in_progress' AND k.id = p.package_id
RETURNING p.id, p.package_id, p.post_id, p.destination, p.generation, p.status, p.last_error, k.traceparent

-- name: fail
-- Begins to roll packages back.
UPDATE publish_packages AS k SET failure = r.failure, status = 'in_progress'
FROM unnest($1::text[], $2::text[]) AS r (id, failure)
WHERE k.id = r.id AND k.failure IS NULL AND k.finished_at IS NULL
RETURNING k.id, k.post_id, k.failure, k.traceparent

-- name: call_off
-- Cancels what was not sent yet of packages that failed, and asks for the rest to be taken back.
UPDATE publications
SET status = CASE status WHEN 'queued' THEN 'cancelled' ELSE status END, take_back = status = 'succeeded', due_at = now(),
    finished_at = coalesce(finished_at, now()),
    last_error = CASE status WHEN 'queued' THEN 'not sent: another target failed' ELSE last_error END
WHERE package_id = ANY($1::text[]) AND status IN ('queued', 'succeeded')

-- name: put_back
-- Gives back what was taken on and certainly not sent.
UPDATE publications SET status = 'queued', first_try_at = NULL
WHERE id = ANY($1::uuid[]) AND status = 'in_progress'

-- name: call_off_late
-- Cancels what was given back after its package had failed.
UPDATE publications AS p
SET status = 'cancelled', finished_at = now(), last_error = 'not sent: another target failed'
FROM publish_packages k
WHERE p.package_id = ANY($1::text[]) AND p.status = 'queued' AND k.id = p.package_id AND k.failure IS NOT NULL

-- name: to_take_back
-- Finds what is to be deleted at the platform now.
SELECT id, package_id, destination, generation, message_ids, attempts FROM publications
WHERE take_back AND due_at <= now() ORDER BY due_at LIMIT 100

-- name: taken_back
-- Records a deletion that the platform confirmed: another send would be a new one.
UPDATE publications
SET status = 'cancelled', take_back = false, generation = generation + 1, random_ids = '{}', message_ids = '{}',
    url = NULL, first_try_at = NULL, last_known_message_id = NULL, finished_at = now(),
    last_error = 'deleted again: another target failed'
WHERE id = $1 AND generation = $2 AND take_back

-- name: not_taken_back
-- Records that a message could not be deleted and stays.
UPDATE publications SET take_back = false, last_error = 'could not be deleted: ' || $3
WHERE id = $1 AND generation = $2 AND take_back

-- name: take_back_later
-- Puts a deletion off.
UPDATE publications SET due_at = now() + $3 * interval '1 second', attempts = attempts + $4
WHERE id = $1 AND generation = $2 AND take_back

-- name: begin
-- Shows packages as under way that have not ended.
UPDATE publish_packages SET status = 'in_progress' WHERE id = ANY($1::text[]) AND status = 'queued'

-- name: end
-- Ends the packages of which nothing is under way any more, and returns them with their targets.
WITH standing AS (
    SELECT package_id, bool_or(status = 'failed') AS failed, bool_or(status = 'succeeded') AS succeeded,
           jsonb_agg(jsonb_build_object('target', destination, 'status', status, 'message_ids', message_ids, 'url', url,
                                        'error', last_error) ORDER BY destination) AS targets
    FROM publications WHERE package_id = ANY($1::text[])
    GROUP BY package_id HAVING NOT bool_or(status IN ('queued', 'in_progress', 'unknown') OR take_back)
)
UPDATE publish_packages AS k
SET status = CASE WHEN k.failure IS NOT NULL OR standing.failed THEN 'failed'
                  WHEN standing.succeeded THEN 'succeeded' ELSE 'cancelled' END,
    reason = nullif(concat_ws('; ', k.failure, k.reason, CASE WHEN standing.targets IS NULL
                              THEN 'all its targets are in other packages' END), ''),
    finished_at = now()
FROM unnest($1::text[]) AS asked (id) LEFT JOIN standing ON standing.package_id = asked.id
WHERE k.id = asked.id AND k.finished_at IS NULL
  AND (standing.package_id IS NOT NULL OR NOT EXISTS (SELECT FROM publications p WHERE p.package_id = k.id))
RETURNING k.id, k.post_id, k.rewrite_id, k.status, k.reason, k.traceparent,
          coalesce(standing.targets, '[]') || k.skipped AS targets

-- name: ready_to_end
-- Finds packages that could have ended: their rivals took all targets, or a person has decided, also to queue again
-- what belongs to one that has failed.
SELECT id FROM publish_packages k
WHERE finished_at IS NULL AND NOT EXISTS (
    SELECT FROM publications p WHERE p.package_id = k.id
      AND (p.status IN ('in_progress', 'unknown') OR p.status = 'queued' AND k.failure IS NULL OR p.take_back))
LIMIT 100
