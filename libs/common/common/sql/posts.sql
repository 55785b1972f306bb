-- name: add
-- Brings posts in; tells for each whether it is new and which post it equals.
SELECT post_id, original, added FROM add_posts($1::jsonb)

-- name: get
-- One post with its media.
SELECT p.id, p.source_id, p.external_id, p.title, p.url, p.text, p.entities, p.posted_at, p.collected_at, p.duplicate_of,
       coalesce((SELECT jsonb_agg(jsonb_build_object('kind', m.kind, 'reference', m.reference, 'mime_type', m.mime_type,
                                                     'size_bytes', m.size_bytes, 'content_hash', m.content_hash,
                                                     'details', m.details)
                                  ORDER BY m.position)
                 FROM post_media m WHERE m.post_id = p.id), '[]') AS media
FROM posts p WHERE p.id = $1
