-- name: start
-- Stores an operation for whoever runs operations, and wakes them at the commit.
WITH started AS (
    INSERT INTO bulk_operations (kind, filter, reason, total, created_by) VALUES ($1, $2, $3, $4, $5) RETURNING *
)
SELECT started.*, pg_notify('bulk_operations', '') FROM started

-- name: get
-- One operation.
SELECT * FROM bulk_operations WHERE id = $1

-- name: list
-- A page of operations, the newest first.
SELECT *, created_at AS page_at, id AS page_key FROM bulk_operations
WHERE created_at <= $2 AND (created_at, id) < ($2, $3::text::uuid)
  AND ($4::text IS NULL OR status = $4) AND ($5::text IS NULL OR kind = $5)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: cancel
-- Asks an operation to stop. One that nobody has begun ends at once. No row where it has ended already.
UPDATE bulk_operations
SET cancelled_by = $2, status = CASE status WHEN 'pending' THEN 'cancelled' ELSE status END,
    finished_at = CASE status WHEN 'pending' THEN now() END
WHERE id = $1 AND status IN ('pending', 'running')
RETURNING *

-- name: take
-- Takes the oldest operation that nobody runs, or this one ($3), until the lease ends ($2, in seconds).
UPDATE bulk_operations
SET status = 'running', started_at = coalesce(started_at, now()), holder = $1, lease_until = now() + $2 * interval '1 second'
WHERE id = (SELECT id FROM bulk_operations
            WHERE status IN ('pending', 'running') AND (lease_until IS NULL OR lease_until < now())
              AND ($3::uuid IS NULL OR id = $3)
            ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING *

-- name: begin_step
-- Notes what is about to be done, and renews the lease. No row where somebody else runs it by now.
UPDATE bulk_operations SET step = $3, lease_until = now() + $4 * interval '1 second'
WHERE id = $1 AND holder = $2 AND status = 'running'
RETURNING *

-- name: end_step
-- Notes what came of a step: how many were done and refused, and some of the reasons.
UPDATE bulk_operations
SET position = step[cardinality(step)], step = '{}', done = done + $3, refused = refused + $4, refusals = refusals || $5
WHERE id = $1 AND holder = $2 AND status = 'running'
RETURNING *

-- name: finish
-- Ends an operation and records what came of it.
WITH ended AS (
    UPDATE bulk_operations SET status = $3, error = $4, finished_at = now(), holder = NULL, lease_until = NULL
    WHERE id = $1 AND holder = $2 AND status = 'running'
    RETURNING *
), recorded AS (
    INSERT INTO audit_log (actor, action, object, before, after)
    SELECT created_by, kind, '/api/v1/operations/' || id, jsonb_build_object('filter', filter, 'reason', reason),
           jsonb_build_object('status', status, 'total', total, 'done', done, 'refused', refused, 'error', error)
    FROM ended
)
SELECT * FROM ended

-- name: give_back
-- Lets somebody else, or us again, go on in so many seconds.
UPDATE bulk_operations SET holder = NULL, lease_until = now() + $3 * interval '1 second' WHERE id = $1 AND holder = $2

-- name: runs_somewhere
-- Whether a service lives that runs operations.
SELECT EXISTS (SELECT FROM service_beats WHERE service = 'api' AND beat_at > now() - $1 * interval '1 second')
