-- name: list
-- A page of jobs, the newest first: of each consumer the newest that match, merged. Consumers are found by leaps through
-- the index, so that nothing is read of those that are not asked for. As many have one time as were claimed at once.
WITH RECURSIVE kinds AS (
    (SELECT queue, consumer FROM jobs ORDER BY queue, consumer LIMIT 1)
    UNION ALL
    SELECT following.* FROM kinds CROSS JOIN LATERAL (
        SELECT j.queue, j.consumer FROM jobs j WHERE (j.queue, j.consumer) > (kinds.queue, kinds.consumer)
        ORDER BY j.queue, j.consumer LIMIT 1) AS following
)
SELECT page.* FROM kinds CROSS JOIN LATERAL (
    SELECT j.*, j.created_at AS page_at, (j.consumer || '/' || j.event_id) COLLATE "C" AS page_key
    FROM jobs j
    WHERE j.queue = kinds.queue AND j.consumer = kinds.consumer
      AND j.created_at <= $2 AND (j.created_at, (j.consumer || '/' || j.event_id) COLLATE "C") < ($2, $3)
      AND j.created_at >= coalesce($10::timestamptz, '-infinity') AND j.created_at < coalesce($11::timestamptz, 'infinity')
      AND ($6::text IS NULL OR j.status = $6) AND ($7::uuid IS NULL OR j.post_id = $7)
      AND ($8::text IS NULL OR j.last_error ILIKE $8) AND ($9::text IS NULL OR j.error_class = $9)
    ORDER BY page_at DESC, page_key DESC LIMIT $1) AS page
WHERE ($4::text IS NULL OR kinds.queue = $4) AND ($5::text IS NULL OR kinds.consumer = $5)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: list_troubled
-- The same of those of which a run did not simply succeed: all that are queued, failed or cancelled, or have an error.
SELECT page.* FROM jobs_kinds_troubled() AS kinds CROSS JOIN LATERAL (
    SELECT j.*, j.created_at AS page_at, (j.consumer || '/' || j.event_id) COLLATE "C" AS page_key
    FROM jobs j
    WHERE j.trouble = kinds.trouble AND j.queue = kinds.queue AND j.consumer = kinds.consumer
      AND j.created_at <= $2 AND (j.created_at, (j.consumer || '/' || j.event_id) COLLATE "C") < ($2, $3)
      AND j.created_at >= coalesce($10::timestamptz, '-infinity') AND j.created_at < coalesce($11::timestamptz, 'infinity')
      AND ($7::uuid IS NULL OR j.post_id = $7)
      AND ($8::text IS NULL OR j.last_error ILIKE $8) AND ($9::text IS NULL OR j.error_class = $9)
    ORDER BY page_at DESC, page_key DESC LIMIT $1) AS page
WHERE ($4::text IS NULL OR kinds.queue = $4) AND ($5::text IS NULL OR kinds.consumer = $5)
  AND ($6::text IS NULL OR kinds.trouble = $6)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: list_of_class
-- The same of those with one class of error. The index knows it: no row is read of another class, also where a plan is made
-- for any filters, which could not look into the index for `$9 IS NULL OR …`.
SELECT page.* FROM jobs_kinds_troubled() AS kinds CROSS JOIN LATERAL (
    SELECT j.*, j.created_at AS page_at, (j.consumer || '/' || j.event_id) COLLATE "C" AS page_key
    FROM jobs j
    WHERE j.trouble = kinds.trouble AND j.queue = kinds.queue AND j.consumer = kinds.consumer
      AND j.created_at <= $2 AND (j.created_at, (j.consumer || '/' || j.event_id) COLLATE "C") < ($2, $3)
      AND j.created_at >= coalesce($10::timestamptz, '-infinity') AND j.created_at < coalesce($11::timestamptz, 'infinity')
      AND j.error_class = $9
      AND ($7::uuid IS NULL OR j.post_id = $7) AND ($8::text IS NULL OR j.last_error ILIKE $8)
    ORDER BY page_at DESC, page_key DESC LIMIT $1) AS page
WHERE ($4::text IS NULL OR kinds.queue = $4) AND ($5::text IS NULL OR kinds.consumer = $5)
  AND ($6::text IS NULL OR kinds.trouble = $6)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: list_searched
-- The same of those whose error contains a text. It looks at the newest 500 that may, and a little further: at all that
-- came at the same time as the last of them. `page_stopped` is that time where there may be more, also in the one row of
-- a page without any. That time is found in the index, so that only these jobs are read. A page that begins at a time
-- and before any key was stopped there.
WITH kinds AS MATERIALIZED (
    SELECT * FROM jobs_kinds_troubled() AS found
    WHERE ($4::text IS NULL OR found.queue = $4) AND ($5::text IS NULL OR found.consumer = $5)
      AND ($6::text IS NULL OR found.trouble = $6)
), stopped AS MATERIALIZED (
    SELECT (
        SELECT looked_at.created_at FROM kinds CROSS JOIN LATERAL (
            SELECT j.created_at FROM jobs j
            WHERE j.trouble = kinds.trouble AND j.queue = kinds.queue AND j.consumer = kinds.consumer
              AND j.created_at <= $2::timestamptz - CASE WHEN $3::text = '' THEN interval '1 us' ELSE interval '0' END
              AND j.created_at >= coalesce($10::timestamptz, '-infinity')
              AND j.created_at < coalesce($11::timestamptz, 'infinity')
              AND ($9::text IS NULL OR j.error_class = $9)
            ORDER BY j.created_at DESC LIMIT 500) AS looked_at
        ORDER BY looked_at.created_at DESC OFFSET 499 LIMIT 1) AS at
)
SELECT page.*, stopped.at AS page_stopped
FROM stopped LEFT JOIN LATERAL (
    SELECT newest.* FROM kinds CROSS JOIN LATERAL (
        SELECT j.*, j.created_at AS page_at, (j.consumer || '/' || j.event_id) COLLATE "C" AS page_key
        FROM jobs j
        WHERE j.trouble = kinds.trouble AND j.queue = kinds.queue AND j.consumer = kinds.consumer
          AND j.created_at >= coalesce(stopped.at, $10, '-infinity') AND j.created_at < coalesce($11::timestamptz, 'infinity')
          AND j.created_at <= $2 AND (j.created_at, (j.consumer || '/' || j.event_id) COLLATE "C") < ($2, $3)
          AND j.last_error ILIKE $8
          AND ($7::uuid IS NULL OR j.post_id = $7) AND ($9::text IS NULL OR j.error_class = $9)
        ORDER BY page_at DESC, page_key DESC LIMIT $1) AS newest
    ORDER BY page_at DESC, page_key DESC LIMIT $1) AS page ON true
ORDER BY page_at DESC, page_key DESC

-- name: list_leased
-- The same of those in progress.
SELECT j.*, j.created_at AS page_at, (j.consumer || '/' || j.event_id) COLLATE "C" AS page_key
FROM jobs_in_progress() j
WHERE j.created_at <= $2 AND (j.created_at, (j.consumer || '/' || j.event_id) COLLATE "C") < ($2, $3)
  AND ($4::text IS NULL OR j.queue = $4) AND ($5::text IS NULL OR j.consumer = $5)
  AND ($6::text IS NULL OR j.status = $6) AND ($7::uuid IS NULL OR j.post_id = $7)
  AND ($8::text IS NULL OR j.last_error ILIKE $8) AND ($9::text IS NULL OR j.error_class = $9)
  AND ($10::timestamptz IS NULL OR j.created_at >= $10) AND ($11::timestamptz IS NULL OR j.created_at < $11)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: list_of_post
-- The same of one post.
SELECT j.*, j.created_at AS page_at, (j.consumer || '/' || j.event_id) COLLATE "C" AS page_key
FROM jobs j
WHERE j.post_id = $7
  AND j.created_at <= $2 AND (j.created_at, (j.consumer || '/' || j.event_id) COLLATE "C") < ($2, $3)
  AND ($4::text IS NULL OR j.queue = $4) AND ($5::text IS NULL OR j.consumer = $5)
  AND ($6::text IS NULL OR j.status = $6)
  AND ($8::text IS NULL OR j.last_error ILIKE $8) AND ($9::text IS NULL OR j.error_class = $9)
  AND ($10::timestamptz IS NULL OR j.created_at >= $10) AND ($11::timestamptz IS NULL OR j.created_at < $11)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: get
-- One job, with the message it was made of as long as that is kept, and the number of its dead letter.
SELECT j.*, m.payload, m.headers, m.sequence,
       (SELECT max(number) FROM dead_letters d WHERE (d.consumer, d.event_id) = (j.consumer, j.event_id)) AS letter
FROM jobs j LEFT JOIN job_messages m USING (consumer, event_id)
WHERE j.consumer = $1 AND j.event_id = $2

-- name: attempts
-- The runs of a job that did not simply succeed.
SELECT attempt, started_at, ended_at, outcome, error_class, error FROM job_attempts
WHERE consumer = $1 AND event_id = $2 ORDER BY attempt

-- name: count
-- How many match that are queued, failed or cancelled.
SELECT count(*) FROM jobs
WHERE trouble = $3 AND ($1::text IS NULL OR queue = $1) AND ($2::text IS NULL OR consumer = $2)
  AND ($4::uuid IS NULL OR post_id = $4)
  AND ($5::text IS NULL OR last_error ILIKE $5) AND ($6::text IS NULL OR error_class = $6)
  AND ($7::timestamptz IS NULL OR created_at >= $7) AND ($8::timestamptz IS NULL OR created_at < $8)

-- name: count_leased
-- How many match that are in progress.
SELECT count(*) FROM jobs_in_progress()
WHERE status = $3
  AND ($1::text IS NULL OR queue = $1) AND ($2::text IS NULL OR consumer = $2) AND ($4::uuid IS NULL OR post_id = $4)
  AND ($5::text IS NULL OR last_error ILIKE $5) AND ($6::text IS NULL OR error_class = $6)
  AND ($7::timestamptz IS NULL OR created_at >= $7) AND ($8::timestamptz IS NULL OR created_at < $8)

-- name: count_chosen
-- How many of some match.
SELECT count(*) FROM jobs JOIN unnest($9::text[], $10::text[]) AS chosen (c, e) ON (consumer, event_id) = (c, e)
WHERE status = $3
  AND ($1::text IS NULL OR queue = $1) AND ($2::text IS NULL OR consumer = $2) AND ($4::uuid IS NULL OR post_id = $4)
  AND ($5::text IS NULL OR last_error ILIKE $5) AND ($6::text IS NULL OR error_class = $6)
  AND ($7::timestamptz IS NULL OR created_at >= $7) AND ($8::timestamptz IS NULL OR created_at < $8)

-- name: counts
-- How many match of each status, of those in progress and those of which a run did not simply succeed.
SELECT trouble AS status, count(*) AS number FROM jobs
WHERE trouble IN ('queued', 'succeeded', 'failed', 'cancelled')
  AND ($1::text IS NULL OR queue = $1) AND ($2::text IS NULL OR consumer = $2) AND ($3::uuid IS NULL OR post_id = $3)
  AND ($4::text IS NULL OR last_error ILIKE $4) AND ($5::text IS NULL OR error_class = $5)
  AND ($6::timestamptz IS NULL OR created_at >= $6) AND ($7::timestamptz IS NULL OR created_at < $7)
GROUP BY trouble
UNION ALL
SELECT 'in_progress', count(*) FROM jobs_in_progress()
WHERE true
  AND ($1::text IS NULL OR queue = $1) AND ($2::text IS NULL OR consumer = $2) AND ($3::uuid IS NULL OR post_id = $3)
  AND ($4::text IS NULL OR last_error ILIKE $4) AND ($5::text IS NULL OR error_class = $5)
  AND ($6::timestamptz IS NULL OR created_at >= $6) AND ($7::timestamptz IS NULL OR created_at < $7)

-- name: counts_of_post
-- The same of one post, also of those that simply succeeded.
SELECT status, count(*) AS number FROM jobs
WHERE post_id = $3
  AND ($1::text IS NULL OR queue = $1) AND ($2::text IS NULL OR consumer = $2)
  AND ($4::text IS NULL OR last_error ILIKE $4) AND ($5::text IS NULL OR error_class = $5)
  AND ($6::timestamptz IS NULL OR created_at >= $6) AND ($7::timestamptz IS NULL OR created_at < $7)
GROUP BY status

-- name: count_succeeded
-- How many succeeded and match, counted no further than to $1. Consumers are found by leaps, as for a list.
WITH RECURSIVE kinds AS (
    (SELECT queue, consumer FROM jobs ORDER BY queue, consumer LIMIT 1)
    UNION ALL
    SELECT following.* FROM kinds CROSS JOIN LATERAL (
        SELECT j.queue, j.consumer FROM jobs j WHERE (j.queue, j.consumer) > (kinds.queue, kinds.consumer)
        ORDER BY j.queue, j.consumer LIMIT 1) AS following
)
SELECT count(*) AS number FROM (
    SELECT FROM kinds CROSS JOIN LATERAL (
        SELECT FROM jobs j
        WHERE j.queue = kinds.queue AND j.consumer = kinds.consumer AND j.status = 'succeeded'
          AND j.created_at >= coalesce($4::timestamptz, '-infinity') AND j.created_at < coalesce($5::timestamptz, 'infinity')
        LIMIT $1) AS each
    WHERE ($2::text IS NULL OR kinds.queue = $2) AND ($3::text IS NULL OR kinds.consumer = $3)
    LIMIT $1) AS counted

-- name: page
-- The keys of those that match and came until a time, in order, after a key: of those queued, failed or cancelled.
SELECT consumer, event_id FROM jobs
WHERE trouble = $7
  AND ($5::text IS NULL OR queue = $5) AND ($6::text IS NULL OR consumer = $6) AND ($8::uuid IS NULL OR post_id = $8)
  AND ($9::text IS NULL OR last_error ILIKE $9) AND ($10::text IS NULL OR error_class = $10)
  AND ($11::timestamptz IS NULL OR created_at >= $11) AND ($12::timestamptz IS NULL OR created_at < $12)
  AND created_at <= $1 AND (consumer, event_id) > ($2, $3)
ORDER BY consumer, event_id LIMIT $4

-- name: page_leased
-- The same of those in progress.
SELECT consumer, event_id FROM jobs_in_progress()
WHERE status = $7
  AND ($5::text IS NULL OR queue = $5) AND ($6::text IS NULL OR consumer = $6) AND ($8::uuid IS NULL OR post_id = $8)
  AND ($9::text IS NULL OR last_error ILIKE $9) AND ($10::text IS NULL OR error_class = $10)
  AND ($11::timestamptz IS NULL OR created_at >= $11) AND ($12::timestamptz IS NULL OR created_at < $12)
  AND created_at <= $1 AND (consumer, event_id) > ($2, $3)
ORDER BY consumer, event_id LIMIT $4

-- name: page_chosen
-- The same of some.
SELECT consumer, event_id FROM jobs JOIN unnest($13::text[], $14::text[]) AS chosen (c, e) ON (consumer, event_id) = (c, e)
WHERE status = $7
  AND ($5::text IS NULL OR queue = $5) AND ($6::text IS NULL OR consumer = $6) AND ($8::uuid IS NULL OR post_id = $8)
  AND ($9::text IS NULL OR last_error ILIKE $9) AND ($10::text IS NULL OR error_class = $10)
  AND ($11::timestamptz IS NULL OR created_at >= $11) AND ($12::timestamptz IS NULL OR created_at < $12)
  AND created_at <= $1 AND (consumer, event_id) > ($2, $3)
ORDER BY consumer, event_id LIMIT $4

-- name: standing
-- How jobs stand that somebody wants to do something about. `waits`: its message waits at the server until it is due.
SELECT consumer, event_id, status, due_at > now() AND ack_subject IS NOT NULL AS waits
FROM jobs JOIN unnest($1::text[], $2::text[]) AS asked (c, e) ON (consumer, event_id) = (c, e)

-- name: wake
-- Lets jobs that wait run at once, and says where their messages can be called. Rows are locked in the order of the ledger.
WITH chosen AS (
    SELECT consumer, event_id FROM jobs JOIN unnest($1::text[], $2::text[]) AS asked (c, e) ON (consumer, event_id) = (c, e)
    WHERE status = 'queued' AND ack_subject IS NOT NULL
    ORDER BY consumer COLLATE "C", event_id COLLATE "C" FOR UPDATE OF jobs
)
UPDATE jobs AS job SET due_at = now()
FROM chosen WHERE (job.consumer, job.event_id) = (chosen.consumer, chosen.event_id)
RETURNING job.consumer, job.event_id, job.ack_subject

-- name: free
-- Makes jobs free again whose messages are kept, for these to be sent once more; all is forgiven those that had ended.
WITH chosen AS (
    SELECT consumer, event_id, message.headers, message.payload
    FROM jobs JOIN unnest($1::text[], $2::text[]) AS asked (c, e) ON (consumer, event_id) = (c, e)
    JOIN job_messages AS message USING (consumer, event_id)
    WHERE status IN ('queued', 'failed', 'cancelled')
    ORDER BY consumer COLLATE "C", event_id COLLATE "C" FOR UPDATE OF jobs
)
UPDATE jobs AS job
SET status = 'queued', trouble = 'queued', finished_at = NULL, due_at = now(),
    excused = CASE WHEN job.status = 'queued' THEN job.excused ELSE job.attempts END,
    crashes = CASE WHEN job.status = 'queued' THEN job.crashes ELSE 0 END,
    created_at = CASE WHEN job.status = 'queued' THEN job.created_at ELSE now() END  -- its deadline begins again
FROM chosen WHERE (job.consumer, job.event_id) = (chosen.consumer, chosen.event_id)
RETURNING job.consumer, job.event_id, job.subject, job.trace_id, chosen.headers, chosen.payload

-- name: cancel
-- Ends jobs that have not ended. What a run of them under way brings is thrown away: its claim does not hold any more.
WITH chosen AS (
    SELECT consumer, event_id, status, attempts, started_at, ack_subject
    FROM jobs JOIN unnest($1::text[], $2::text[]) AS asked (c, e) ON (consumer, event_id) = (c, e)
    WHERE status IN ('queued', 'in_progress')
    ORDER BY consumer COLLATE "C", event_id COLLATE "C" FOR UPDATE OF jobs
), ended AS (
    UPDATE jobs AS job
    SET status = 'cancelled', trouble = 'cancelled', error_class = 'Cancelled', last_error = $3,
        lease_until = NULL, due_at = NULL, ack_subject = NULL, finished_at = now()
    FROM chosen WHERE (job.consumer, job.event_id) = (chosen.consumer, chosen.event_id)
), recorded AS (
    INSERT INTO job_attempts (consumer, event_id, attempt, started_at, ended_at, outcome, error_class, error)
    SELECT consumer, event_id, attempts, started_at, now(), 'cancelled', 'Cancelled', $3 FROM chosen
    WHERE status = 'in_progress'
    ON CONFLICT DO NOTHING
)
SELECT consumer, event_id, ack_subject FROM chosen

-- name: call_off
-- Ends failed jobs as cancelled whose letters are not kept any more; why they failed stays readable.
UPDATE jobs SET status = 'cancelled', trouble = 'cancelled', last_error = concat_ws('; ', $3::text, last_error), finished_at = now()
FROM unnest($1::text[], $2::text[]) AS asked (c, e)
WHERE consumer = c AND event_id = e AND status = 'failed'
RETURNING consumer, event_id
