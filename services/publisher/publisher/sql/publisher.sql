-- name: read
-- What there is to publish of each asked post: its text, and what a person wrote in its place; its media, the image that
-- was made for it, its routes' targets, and where it is already.
SELECT asked.n, p.id AS post_id, p.duplicate_of, p.title, p.text, p.entities,
       w.id AS rewrite_id, w.text AS rewritten, w.entities AS rewritten_entities,
       e.text AS edited, e.entities AS edited_entities,
       c.id IS NOT NULL AS is_brief, c.deleted_at IS NOT NULL AS is_deleted,
       (SELECT jsonb_agg(jsonb_build_object('kind', m.kind, 'reference', m.reference, 'details', m.details,
                                            'hash', i.hash, 'mime_type', i.mime_type, 'size_bytes', i.size_bytes,
                                            'width', i.width, 'height', i.height,
                                            'tried', f.post_id IS NOT NULL, 'problem', f.problem) ORDER BY m.position)
        FROM post_media m
        LEFT JOIN attachments a ON a.post_id = m.post_id AND a.place = 'source/' || m.position
        LEFT JOIN images i USING (hash)
        LEFT JOIN media_fetches f ON f.post_id = m.post_id AND f.position = m.position
        WHERE m.post_id = p.id) AS media,
       (SELECT jsonb_build_object('hash', i.hash, 'mime_type', i.mime_type, 'size_bytes', i.size_bytes,
                                  'width', i.width, 'height', i.height)
        FROM attachments a JOIN images i USING (hash)
        WHERE a.post_id = p.id AND a.place IN ('post', 'rewrite/' || w.id)
        ORDER BY a.place = 'post' LIMIT 1) AS illustration,
       EXISTS (SELECT FROM illustrations i WHERE i.post_id = p.id AND i.rewrite_id IS NOT DISTINCT FROM w.id
               AND i.status = 'failed') AS image_failed,
       (SELECT array_agg(target ORDER BY r.name, n) FROM routes r, unnest(r.targets) WITH ORDINALITY AS t (target, n)
        WHERE r.enabled AND (r.source_id IS NULL OR r.source_id = p.source_id)) AS targets,
       (SELECT jsonb_agg(jsonb_build_object('destination', q.destination, 'status', q.status, 'url', q.url,
                                            'message_ids', q.message_ids, 'generation', q.generation,
                                            'rolling_back', q.take_back OR k.finished_at IS NULL AND
                                                (q.status IN ('failed', 'cancelled')
                                                 OR k.failure IS NOT NULL AND q.status <> 'unknown')))
        FROM publications q JOIN publish_packages k ON k.id = q.package_id WHERE q.post_id = p.id) AS publications
FROM unnest($1::int[], $2::uuid[], $3::uuid[]) AS asked (n, post_id, rewrite_id)
JOIN posts p ON p.id = asked.post_id
LEFT JOIN LATERAL (
    SELECT id, text, entities FROM rewrites
    WHERE post_id = asked.post_id AND status = 'succeeded' AND (asked.rewrite_id IS NULL OR id = asked.rewrite_id)
    ORDER BY created_at DESC LIMIT 1) w ON true
LEFT JOIN LATERAL (
    SELECT text, entities FROM post_edits
    WHERE post_id = asked.post_id AND (rewrite_id IS NULL OR rewrite_id = w.id)
    ORDER BY rewrite_id IS NULL, edited_at DESC LIMIT 1) e ON true
LEFT JOIN contents c ON c.post_id = p.id

-- name: bring
-- Brings the post of a request that carries its own text.
SELECT post_id FROM add_posts($1::jsonb)

-- name: add_packages
-- Adds packages; one that ends here, because nothing is left to do, has a status that says so.
INSERT INTO publish_packages (id, post_id, rewrite_id, status, reason, skipped, traceparent, finished_at)
SELECT id, post_id, rewrite_id, status, reason, skipped::jsonb, traceparent, CASE WHEN status = 'cancelled' THEN now() END
FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
     AS given (id, post_id, rewrite_id, status, reason, skipped, traceparent)
ON CONFLICT (id) DO NOTHING

-- name: add_publications
-- Adds publications, or queues again those that failed or were cancelled. Requests are worked on side by side: each is
-- due a moment later, by when those that came before it are stored too, and take_on brings them into order.
INSERT INTO publications AS p (id, package_id, post_id, destination, position, status, generation, text, entities, media,
                               due_at)
SELECT DISTINCT ON (id) id, package_id, post_id, destination, position, 'queued', generation, text,
       entities::jsonb, media::jsonb, now() + interval '0.05 s'
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bigint[], $6::int[], $7::text[], $8::text[], $9::text[])
     AS given (id, package_id, post_id, destination, position, generation, text, entities, media)
ORDER BY id, position
ON CONFLICT (id) DO UPDATE
SET package_id = excluded.package_id, position = excluded.position, status = 'queued', text = excluded.text,
    entities = excluded.entities, media = excluded.media, random_ids = '{}', message_ids = '{}', url = NULL,
    attempts = 0, due_at = excluded.due_at, first_try_at = NULL, last_error = NULL, finished_at = NULL
WHERE p.status IN ('failed', 'cancelled') AND NOT p.take_back AND p.generation = excluded.generation

-- name: attach
-- Attaches images to publications; not to one that another request has added first, and that has images of its own.
SELECT attach_images(array_agg(p.post_id), array_agg(given.place), array_agg(given.hash))
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS given (id, package_id, place, hash)
JOIN publications p ON p.id = given.id AND p.package_id = given.package_id

-- name: busy_destinations
-- Finds the destinations that have something to send, by hopping through the index instead of reading all rows.
WITH RECURSIVE queued AS (
    (SELECT destination FROM publications WHERE status = 'queued' ORDER BY destination LIMIT 1)
    UNION ALL
    SELECT (SELECT p.destination FROM publications p WHERE p.status = 'queued' AND p.destination > q.destination
            ORDER BY p.destination LIMIT 1)
    FROM queued q WHERE q.destination IS NOT NULL
)
SELECT destination FROM queued WHERE EXISTS (
    SELECT FROM publications p
    WHERE p.status = 'queued' AND p.destination = queued.destination AND p.due_at <= now())
UNION
SELECT destination FROM publications WHERE status = 'in_progress'

-- name: left_over
-- What the last holder of a lane had taken on: it may have been sent or not.
SELECT p.id, p.package_id, p.post_id, p.destination, p.generation, p.text, p.entities, p.media, p.random_ids, p.attempts,
       p.position, p.last_known_message_id, p.first_try_at, p.progress, k.traceparent,
       extract(epoch FROM clock_timestamp() - p.first_try_at)::float8 AS age
FROM publications p JOIN publish_packages k ON k.id = p.package_id
WHERE p.destination = $1 AND p.status = 'in_progress' ORDER BY p.position, p.id

-- name: take_on
-- Takes on the oldest that are due, or will be in a moment; from here on each may have been sent. Its random ids are
-- stored before that; where they are drawn anew, nothing of it was sent before.
UPDATE publications AS p
SET status = 'in_progress', first_try_at = clock_timestamp(), last_known_message_id = $3,
    random_ids = CASE WHEN p.random_ids = '{}'
                      THEN send_random_ids(p.id, p.generation, greatest(1, jsonb_array_length(p.media)))
                      ELSE p.random_ids END,
    progress = CASE WHEN p.random_ids = '{}' THEN '{}' ELSE p.progress END
FROM (SELECT q.id, k.traceparent FROM publications q JOIN publish_packages k ON k.id = q.package_id
      WHERE q.destination = $1 AND q.status = 'queued' AND q.due_at <= now() + interval '0.05 s' AND k.failure IS NULL
      ORDER BY q.position, q.id LIMIT $2) AS next
WHERE p.id = next.id AND p.status = 'queued'
RETURNING p.id, p.package_id, p.post_id, p.destination, p.generation, p.text, p.entities, p.media, p.random_ids,
          p.attempts, p.position, p.last_known_message_id, p.first_try_at, p.progress, next.traceparent, 0::float8 AS age

-- name: anything_due
-- Whether a lane has something to send.
SELECT EXISTS (SELECT FROM publications WHERE destination = $1 AND status = 'queued' AND due_at <= now())

-- name: note_attempt
-- Counts an attempt that failed and is to be repeated.
UPDATE publications SET attempts = attempts + 1, last_error = $3
WHERE id = $1 AND generation = $2 AND status = 'in_progress'

-- name: note_progress
-- Keeps how far a send came, as long as it is ours.
UPDATE publications SET progress = $3 WHERE id = $1 AND generation = $2 AND status = 'in_progress' RETURNING id

-- name: newest_message
-- The newest message that is known of a destination.
SELECT (SELECT max(m) FROM unnest(message_ids) AS m) FROM publications
WHERE destination = $1 AND status = 'succeeded' ORDER BY finished_at DESC LIMIT 1

-- name: taken
-- The messages of a destination that belong to other publications. Not every platform's ids rise with time: those
-- that were sent a while before are among them too.
SELECT DISTINCT m FROM publications, unnest(message_ids) AS m
WHERE destination = $1 AND status = 'succeeded' AND (m > $2 OR finished_at > $3::timestamptz - interval '1 hour')

-- name: posts_per_hour
-- The pace that was set for a destination.
SELECT posts_per_hour FROM destinations WHERE lower(address) = lower($1)
