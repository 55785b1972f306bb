-- name: ask
-- Asks what there is to read at an address; of what was asked a day ago nobody needs to know any more.
WITH old AS (DELETE FROM source_checks WHERE asked_at < now() - interval '1 day')
INSERT INTO source_checks (id, kind, address, allow_private) VALUES ($1, $2, $3, $4)

-- name: get_check
-- One check, with the source that has its address.
SELECT c.id, c.kind, c.address, c.allow_private, c.asked_at, c.answered_at, c.finding, s.id AS source_id,
       clock_timestamp() AS now
FROM source_checks c LEFT JOIN sources s ON (s.kind, s.address) = (c.kind, c.address) WHERE c.id = $1

-- name: activity
-- What sources brought within a day, by the hour; of each at most $2 posts are looked at, the newest.
SELECT s.id AS source_id, s.enabled, s.schedule, day.posts, day.duplicates, day.hours
FROM sources s
CROSS JOIN LATERAL (
    SELECT coalesce(sum(brought.posts), 0)::integer AS posts, coalesce(sum(brought.duplicates), 0)::integer AS duplicates,
           array_agg(coalesce(brought.posts, 0)::integer ORDER BY hour) AS hours
    FROM generate_series(0, 23) AS hour
    LEFT JOIN (
        SELECT 23 - floor(extract(epoch FROM now() - collected_at) / 3600)::integer AS hour, count(*) AS posts,
               count(duplicate_of) AS duplicates
        FROM (SELECT collected_at, duplicate_of FROM posts
              WHERE source_id = s.id AND collected_at > now() - interval '1 day'
              ORDER BY collected_at DESC, id DESC LIMIT $2) AS newest
        GROUP BY 1
    ) AS brought USING (hour)
) AS day
WHERE s.id = ANY($1::uuid[])

-- name: runs
-- A page of a source's runs.
SELECT at, brought, duplicates, error, at AS page_at, id AS page_key FROM source_runs
WHERE source_id = $4 AND at <= $2 AND (at, id) < ($2, $3::text::bigint)
ORDER BY page_at DESC, page_key DESC LIMIT $1
