-- name: list_logs
-- A page of log records, the newest first.
SELECT id, at, service, level, event, post_id, job_id, trace_id, fields, at AS page_at, id AS page_key
FROM log_records
WHERE at <= $2 AND (at, id) < ($2, $3::text::bigint)
  AND ($4::text IS NULL OR service = $4) AND ($5::text[] IS NULL OR level = ANY($5))
  AND ($6::uuid IS NULL OR post_id = $6) AND ($7::text IS NULL OR job_id = $7) AND ($8::text IS NULL OR trace_id = $8)
  AND ($9::text IS NULL OR searched ILIKE $9)
  AND ($10::timestamptz IS NULL OR at >= $10) AND ($11::timestamptz IS NULL OR at < $11)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: latest_logs
-- The newest log records, the newest first.
SELECT id, at, service, level, event, post_id, job_id, trace_id, fields
FROM log_records
WHERE ($2::text IS NULL OR service = $2) AND ($3::text[] IS NULL OR level = ANY($3))
  AND ($4::uuid IS NULL OR post_id = $4) AND ($5::text IS NULL OR job_id = $5) AND ($6::text IS NULL OR trace_id = $6)
  AND ($7::text IS NULL OR searched ILIKE $7)
  AND ($8::timestamptz IS NULL OR at >= $8) AND ($9::timestamptz IS NULL OR at < $9)
ORDER BY at DESC, id DESC LIMIT $1

-- name: last_log
-- The id of the record that arrived last.
SELECT coalesce(max(id), 0) AS id FROM log_records

-- name: logs_after
-- What arrived after a record.
SELECT id, at, service, level, event, post_id, job_id, trace_id, fields
FROM log_records
WHERE id > $1
  AND ($3::text IS NULL OR service = $3) AND ($4::text[] IS NULL OR level = ANY($4))
  AND ($5::uuid IS NULL OR post_id = $5) AND ($6::text IS NULL OR job_id = $6) AND ($7::text IS NULL OR trace_id = $7)
  AND ($8::text IS NULL OR searched ILIKE $8)
  AND ($9::timestamptz IS NULL OR at >= $9) AND ($10::timestamptz IS NULL OR at < $10)
ORDER BY id LIMIT $2

-- name: keep_logs
-- Keeps records of messages that are not kept yet: each comes with the id of its message.
WITH new AS (
    INSERT INTO log_batches (id) SELECT DISTINCT batch FROM unnest($1::text[]) AS batch ORDER BY batch
    ON CONFLICT DO NOTHING RETURNING id
)
INSERT INTO log_records (at, service, level, event, post_id, job_id, trace_id, fields, searched)
SELECT at, service, level, event, post_id, job_id, trace_id, fields::jsonb, searched
FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[],
            $9::text[], $10::text[])
     WITH ORDINALITY
     AS given (batch, at, service, level, event, post_id, job_id, trace_id, fields, searched, place)
WHERE batch IN (SELECT id FROM new)
ORDER BY place

-- name: prune_logs
-- Forgets the oldest records that are older than so many days, up to so many of them.
DELETE FROM log_records WHERE id IN (
    SELECT id FROM log_records WHERE at < now() - $1::float8 * interval '1 day' ORDER BY at LIMIT $2)

-- name: prune_log_batches
-- Forgets which messages were kept: what was not acknowledged is delivered again within a minute, not after a day.
DELETE FROM log_batches WHERE kept_at < now() - interval '1 day'
