-- name: claim
-- Takes the jobs that are free: new, given back and due, or left by a holder whose lease ran out, which counts as a crash.
-- One with $9 crashes or more is a suspect: it is not taken but set free, so that no crash meanwhile is counted for it.
-- What the message said is kept, also where a replay says something else.
WITH given AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::float8[], $8::text[],
                         $10::bytea[], $11::text[], $12::bigint[])
           AS given (consumer, event_id, queue, subject, post_id, lease, trace_id, payload, headers, sequence)
), claimed AS (
    INSERT INTO jobs AS job (consumer, event_id, queue, subject, post_id, status, holder, lease_until, trace_id)
    SELECT consumer, event_id, queue, subject, post_id, 'in_progress', $7, now() + lease * interval '1 second', trace_id
    FROM given
    ON CONFLICT (consumer, event_id) DO UPDATE
    SET crashes = job.crashes + (job.status = 'in_progress')::int, started_at = now(), finished_at = NULL,
        due_at = NULL, ack_subject = NULL,
        status = CASE WHEN job.crashes + (job.status = 'in_progress')::int < $9 THEN 'in_progress' ELSE 'queued' END,
        trouble = CASE WHEN job.crashes + (job.status = 'in_progress')::int < $9 THEN 'in_progress' ELSE 'queued' END,
        attempts = job.attempts + (job.crashes + (job.status = 'in_progress')::int < $9)::int,
        holder = CASE WHEN job.crashes + (job.status = 'in_progress')::int < $9 THEN excluded.holder END,
        lease_until = CASE WHEN job.crashes + (job.status = 'in_progress')::int < $9 THEN excluded.lease_until END
    WHERE (job.status = 'queued' AND (job.due_at <= now()) IS NOT FALSE)
       OR (job.status = 'in_progress' AND job.lease_until < now())
    RETURNING consumer, event_id, status, attempts, attempts - excused - crashes AS counted, crashes,
              extract(epoch FROM now() - created_at)::float8 AS age,
              extract(epoch FROM now() - greatest(created_at, patient_from))::float8 AS waited
), kept AS (
    INSERT INTO job_messages AS message (consumer, event_id, payload, headers, sequence)
    SELECT consumer, event_id, payload, headers, sequence FROM claimed JOIN given USING (consumer, event_id)
    ON CONFLICT (consumer, event_id) DO UPDATE
    SET payload = excluded.payload, headers = excluded.headers, sequence = excluded.sequence, kept_at = now()
    WHERE message.sequence <> excluded.sequence
)
SELECT * FROM claimed

-- name: record_crashes
-- Keeps that a run ended by the death of its worker, unless it is known how it ended.
INSERT INTO job_attempts (consumer, event_id, attempt, outcome)
SELECT *, 'crashed' FROM unnest($1::text[], $2::text[], $3::int[]) ON CONFLICT DO NOTHING

-- name: standing
-- Says how the jobs stand that could not be claimed, and in how many seconds they may be free.
SELECT consumer, event_id, status,
       extract(epoch FROM CASE status WHEN 'queued' THEN due_at ELSE lease_until END - now())::float8 AS wait
FROM jobs JOIN unnest($1::text[], $2::text[]) AS asked (c, e) ON (consumer, event_id) = (c, e)

-- name: leftovers
-- Finds the events of finished jobs that were committed and not yet published.
SELECT id, consumer, cause_id, subject, headers, payload
FROM outbox JOIN unnest($1::text[], $2::text[]) AS asked (c, e) ON (consumer, cause_id) = (c, e)

-- name: finish
-- Ends jobs and stores what they emit; a job that somebody else has claimed since is left alone, with its events.
WITH ended AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::int[], $8::uuid[],
                         $9::float8[], $10::text[])
           AS given (consumer, event_id, attempt, status, error_class, error, excused, post_id, delay, ack_subject)
), done AS (
    UPDATE jobs AS job
    SET status = ended.status, last_error = coalesce(ended.error, job.last_error), excused = job.excused + ended.excused,
        error_class = coalesce(ended.error_class, job.error_class),
        trouble = CASE WHEN ended.status <> 'succeeded' OR job.trouble IS NOT NULL THEN ended.status END,
        post_id = coalesce(ended.post_id, job.post_id), lease_until = NULL, finished_at = now(),
        due_at = now() + ended.delay * interval '1 second', ack_subject = ended.ack_subject
    FROM ended
    WHERE job.consumer = ended.consumer AND job.event_id = ended.event_id AND job.attempts = ended.attempt
      AND job.holder = $11 AND job.status = 'in_progress'
    RETURNING job.consumer, job.event_id
), emitted AS (
    INSERT INTO outbox (id, consumer, cause_id, subject, headers, payload)
    SELECT given.* FROM unnest($12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::bytea[])
           AS given (id, consumer, cause_id, subject, headers, payload)
    JOIN done ON (given.consumer, given.cause_id) = (done.consumer, done.event_id)
    ON CONFLICT DO NOTHING
)
SELECT consumer, event_id FROM done

-- name: begin_again
-- Lets the deadline of jobs run from now on.
UPDATE jobs SET patient_from = now() FROM unnest($1::text[], $2::text[]) AS given (c, e) WHERE consumer = c AND event_id = e

-- name: record_attempts
-- Keeps how runs ended that did not simply succeed.
INSERT INTO job_attempts (consumer, event_id, attempt, started_at, ended_at, outcome, error_class, error)
SELECT ended.consumer, ended.event_id, ended.attempt, job.started_at, now(), ended.outcome, ended.error_class, ended.error
FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[])
     AS ended (consumer, event_id, attempt, outcome, error_class, error)
JOIN jobs AS job USING (consumer, event_id)
ON CONFLICT DO NOTHING

-- name: beat
-- Prolongs the leases of jobs that are still under way.
UPDATE jobs SET lease_until = now() + lease * interval '1 second'
FROM unnest($1::text[], $2::text[], $3::float8[]) AS held (c, e, lease)
WHERE consumer = c AND event_id = e AND holder = $4 AND status = 'in_progress'

-- name: add_to_outbox
-- Stores events that a loop emits, not a job.
INSERT INTO outbox (id, consumer, cause_id, subject, headers, payload)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[])
ON CONFLICT DO NOTHING

-- name: stranded
-- Finds events that a crash left behind, oldest first.
SELECT id, consumer, cause_id, subject, headers, payload FROM outbox
WHERE consumer = ANY($1::text[]) AND created_at < now() - $2 * interval '1 second'
ORDER BY created_at LIMIT $3 FOR UPDATE SKIP LOCKED

-- name: forget
-- Deletes events that their stream has acknowledged.
DELETE FROM outbox WHERE id = ANY($1::text[])

-- name: made_of
-- Finds how the job stands that was made of the message at a place of a stream, in the last day: a stream that was deleted
-- and made again counts from one. It is asked after messages that the server has given up, so no index is kept for it.
SELECT status FROM job_messages JOIN jobs USING (consumer, event_id)
WHERE consumer = $1 AND sequence = $2 AND kept_at > now() - interval '1 day'
ORDER BY kept_at DESC LIMIT 1

-- name: give_up
-- Ends a job whose message the server has given up.
INSERT INTO jobs AS job (consumer, event_id, queue, subject, post_id, status, trouble, error_class, last_error, finished_at)
SELECT consumer, event_id, queue, subject, post_id, 'failed', 'failed', error_class, error, now()
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[])
     AS given (consumer, event_id, queue, subject, post_id, error_class, error)
ON CONFLICT (consumer, event_id) DO UPDATE
SET status = 'failed', trouble = 'failed', error_class = excluded.error_class, last_error = excluded.last_error,
    lease_until = NULL, due_at = NULL, ack_subject = NULL, finished_at = now()
WHERE job.status NOT IN ('succeeded', 'cancelled')
