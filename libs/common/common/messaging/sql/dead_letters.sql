-- name: keep
-- Notes dead letters with the end of their jobs. A message that two paths give up is one letter; one that lies where
-- another lay, in a stream that was made anew, takes its place.
INSERT INTO dead_letters AS letter
    (consumer, event_id, queue, stream, sequence, subject, post_id, attempts, error_class, error, fingerprint)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::uuid[], $8::int[],
                     $9::text[], $10::text[], $11::text[])
ON CONFLICT (stream, consumer, sequence) DO UPDATE
SET number = DEFAULT, event_id = excluded.event_id, queue = excluded.queue, subject = excluded.subject,
    post_id = excluded.post_id, attempts = excluded.attempts, error_class = excluded.error_class,
    error = excluded.error, fingerprint = excluded.fingerprint, died_at = now(), edited_at = NULL, edited_by = NULL
WHERE letter.event_id <> excluded.event_id

-- name: list
-- A page of letters, the newest first.
SELECT *, died_at AS page_at, number AS page_key
FROM dead_letters_matching($4, $5, $6, $7, $8, $9, $10, $11, $12)
WHERE died_at <= $2 AND (died_at, number) < ($2, $3::text::bigint)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: groups
-- A page of groups, those with the newest letters first; each with its newest letter as an example.
SELECT g.fingerprint, g.letters AS count, g.first_at, g.last_at, e.consumer, e.queue, e.error_class, e.error,
       e.number AS example, g.last_at AS page_at, g.fingerprint AS page_key
FROM (SELECT fingerprint, count(*) AS letters, min(died_at) AS first_at, max(died_at) AS last_at, max(number) AS newest
      FROM dead_letters_matching($4, $5, $6, $7, $8, $9, $10, $11, $12) GROUP BY fingerprint) AS g
JOIN dead_letters e ON e.number = g.newest
WHERE g.last_at <= $2 AND (g.last_at, g.fingerprint) < ($2, $3)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: count
-- How many match.
SELECT count(*) FROM dead_letters_matching($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: page
-- The numbers of those that match, after a number, of those that died until a time.
SELECT number FROM dead_letters_matching($4, $5, $6, $7, $8, $9, $10, $11, $12)
WHERE number > $2 AND died_at <= $3
ORDER BY number LIMIT $1

-- name: get
-- Letters by their numbers.
SELECT * FROM dead_letters WHERE number = ANY($1::bigint[])

-- name: of_jobs
-- The letters of jobs.
SELECT letter.* FROM dead_letters letter JOIN unnest($1::text[], $2::text[]) AS job (c, e)
    ON (letter.consumer, letter.event_id) = (c, e)
ORDER BY number

-- name: unpublished
-- What of these letters is still in the outbox, the newest last: it is newer than what their stream has.
SELECT subject, headers, payload FROM outbox WHERE subject = ANY($1::text[]) ORDER BY created_at

-- name: edit
-- Notes that a letter has another payload now; no row where it was edited or taken out meanwhile.
UPDATE dead_letters SET edited_at = clock_timestamp(), edited_by = $3, post_id = $4
WHERE number = $1 AND edited_at IS NOT DISTINCT FROM $2
RETURNING *

-- name: take_out
-- Takes letters out that nobody has edited or taken out meanwhile. In one order, so that two who do so don't block each
-- other.
WITH chosen AS (
    SELECT number FROM dead_letters JOIN unnest($1::bigint[], $2::timestamptz[]) AS seen (n, edit)
        ON number = n AND edited_at IS NOT DISTINCT FROM edit
    ORDER BY number FOR UPDATE OF dead_letters
)
DELETE FROM dead_letters letter USING chosen WHERE letter.number = chosen.number
RETURNING letter.number

-- name: free_jobs
-- Makes the jobs of letters free again, their attempts and crashes forgiven, for the replay of their messages.
UPDATE jobs SET status = 'queued', trouble = 'queued', excused = attempts, crashes = 0, lease_until = NULL, due_at = now(),
                finished_at = NULL, created_at = now()  -- its deadline begins again
FROM unnest($1::text[], $2::text[]) AS job (c, e)
WHERE consumer = c AND event_id = e AND status IN ('failed', 'cancelled')

-- name: call_off_jobs
-- Ends failed jobs as cancelled, because a person discarded their letters; why they failed stays readable.
UPDATE jobs SET status = 'cancelled', trouble = 'cancelled', last_error = concat_ws(': ', 'discarded', last_error),
                finished_at = now()
FROM unnest($1::text[], $2::text[]) AS job (c, e)
WHERE consumer = c AND event_id = e AND status = 'failed'

-- name: forget_unpublished
-- Takes letters out of the outbox that were taken out before their stream got them.
DELETE FROM outbox WHERE subject = ANY($1::text[])

-- name: places
-- Where the letters lie that are known, of those that died before a time.
SELECT number, stream, consumer, sequence, died_at < now() - $1 * interval '1 second' AS settled FROM dead_letters

-- name: forget
-- Drops letters that their stream does not have any more; their jobs stay failed.
DELETE FROM dead_letters letter WHERE number = ANY($1::bigint[])
    AND NOT EXISTS (SELECT FROM outbox o WHERE o.subject = format('dlq.%s.%s.%s', letter.stream, letter.consumer, letter.sequence))

-- name: adopt
-- Notes a letter that its stream has and nobody has decided about: its job is not known, or has failed and has no letter.
-- A row where the letter is in the table then, whoever noted it.
WITH adopted AS (
    INSERT INTO dead_letters (consumer, event_id, queue, stream, sequence, subject, post_id, attempts, error_class, error,
                              fingerprint, died_at)
    SELECT stray.consumer, stray.event_id, coalesce(job.queue, stray.consumer), $3, $4::bigint, $5, $6::uuid, $7::int, $8,
           $9, $10, $11::timestamptz
    FROM (SELECT $1::text AS consumer, $2::text AS event_id) AS stray LEFT JOIN jobs AS job USING (consumer, event_id)
    WHERE coalesce(job.status, 'failed') = 'failed'
      AND NOT EXISTS (SELECT FROM dead_letters l WHERE (l.consumer, l.event_id) = (stray.consumer, stray.event_id))
    ON CONFLICT (stream, consumer, sequence) DO UPDATE SET sequence = excluded.sequence
    RETURNING number
)
SELECT number FROM adopted
UNION ALL
SELECT number FROM dead_letters WHERE (stream, consumer, sequence) = ($3, $1, $4::bigint)
