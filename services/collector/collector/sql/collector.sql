-- name: state
-- How far a source is read.
SELECT last_message_id, etag, last_modified, last_success_at, last_error FROM source_states WHERE source_id = $1

-- name: advance
-- Moves places on after successful runs; of several runs of one source in a group, each is heard once.
INSERT INTO source_states AS state (source_id, last_message_id, etag, last_modified, last_run_at, last_success_at)
SELECT source_id, max(last_message_id), (array_agg(etag ORDER BY n DESC))[1],
       (array_agg(last_modified ORDER BY n DESC))[1], now(), now()
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[])
     WITH ORDINALITY AS run (source_id, last_message_id, etag, last_modified, n)
GROUP BY source_id ORDER BY source_id
ON CONFLICT (source_id) DO UPDATE
SET last_message_id = greatest(state.last_message_id, excluded.last_message_id), etag = excluded.etag,
    last_modified = excluded.last_modified, last_run_at = now(), last_success_at = now(), last_error = NULL, failures = 0

-- name: fail
-- Records runs that failed, with the reason of the last one.
INSERT INTO source_states AS state (source_id, last_run_at, last_error, failures)
SELECT source_id, now(), (array_agg(error ORDER BY n DESC))[1], count(*)
FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS run (source_id, error, n)
WHERE source_id IN (SELECT id FROM sources)
GROUP BY source_id ORDER BY source_id
ON CONFLICT (source_id) DO UPDATE
SET last_run_at = now(), last_error = excluded.last_error, failures = state.failures + excluded.failures

-- name: add_runs
-- Records runs that brought something or failed; what is older than a week is forgotten with the source's next one.
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[])
                  WITH ORDINALITY AS run (source_id, brought, duplicates, error, n)
    WHERE source_id IN (SELECT id FROM sources)
), old AS (
    DELETE FROM source_runs r USING given g WHERE r.source_id = g.source_id AND r.at < now() - interval '7 days'
)
INSERT INTO source_runs (source_id, brought, duplicates, error)
SELECT source_id, brought, duplicates, error FROM given ORDER BY n

-- name: answer
-- Answers checks. One that nobody asks for any more is not there.
UPDATE source_checks AS c SET answered_at = clock_timestamp(), finding = f.finding
FROM unnest($1::uuid[], $2::jsonb[]) AS f (id, finding) WHERE c.id = f.id AND c.answered_at IS NULL

-- name: wanted
-- The media of a post of which it is not known yet what came of fetching them.
SELECT p.duplicate_of IS NOT NULL AS duplicate, coalesce(s.allow_private, false) AS allow_private,
       coalesce((SELECT jsonb_agg(jsonb_build_object('position', m.position, 'kind', m.kind, 'reference', m.reference,
                                                     'mime_type', m.mime_type, 'size_bytes', m.size_bytes)
                                  ORDER BY m.position)
                 FROM post_media m LEFT JOIN media_fetches f USING (post_id, position)
                 WHERE m.post_id = p.id AND f.post_id IS NULL), '[]') AS media
FROM posts p LEFT JOIN sources s ON s.id = p.source_id WHERE p.id = $1

-- name: fetched
-- Records a medium that was stored, and attaches it; what an overlapping run recorded before stays.
WITH added AS (
    INSERT INTO media_fetches (post_id, position, hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
    RETURNING post_id, position, hash
)
SELECT attach_images(array_agg(post_id), array_agg('source/' || position), array_agg(hash)) FROM added

-- name: missing
-- Records why there won't be a medium.
INSERT INTO media_fetches (post_id, position, problem) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
