-- name: post
-- What there is to send of a post: its newest rewrite that succeeded, or else the original, or what a person wrote in
-- place of it; its media that are in the object store; and the image that was made for it.
SELECT p.duplicate_of, p.title, p.text, p.entities, coalesce(e.text, w.text) AS rewritten,
       CASE WHEN e.text IS NULL THEN w.entities ELSE e.entities END AS rewritten_entities,
       EXISTS (SELECT FROM contents c WHERE c.post_id = p.id) AS is_brief,
       (SELECT jsonb_agg(jsonb_strip_nulls(m.details || jsonb_build_object(
                   'kind', m.kind, 'hash', i.hash, 'mime_type', i.mime_type, 'size_bytes', i.size_bytes,
                   'width', coalesce(to_jsonb(i.width), m.details->'width'),
                   'height', coalesce(to_jsonb(i.height), m.details->'height'))) ORDER BY m.position)
        FROM post_media m JOIN attachments a ON a.post_id = m.post_id AND a.place = 'source/' || m.position
        JOIN images i USING (hash) WHERE m.post_id = p.id) AS media,
       (SELECT jsonb_build_object('kind', 'photo', 'hash', i.hash, 'mime_type', i.mime_type, 'size_bytes', i.size_bytes,
                                  'width', i.width, 'height', i.height)
        FROM attachments a JOIN images i USING (hash)
        WHERE a.post_id = p.id AND a.place IN ('post', 'rewrite/' || w.id)
        ORDER BY a.place = 'post' LIMIT 1) AS illustration
FROM posts p
LEFT JOIN LATERAL (SELECT id, text, entities FROM rewrites WHERE post_id = p.id AND status = 'succeeded'
                   ORDER BY created_at DESC LIMIT 1) w ON true
LEFT JOIN LATERAL (SELECT text, entities FROM post_edits WHERE post_id = p.id AND (rewrite_id IS NULL OR rewrite_id = w.id)
                   ORDER BY rewrite_id IS NULL, edited_at DESC LIMIT 1) e ON true
WHERE p.id = $1

-- name: published
-- Where a post was published on Telegram first.
SELECT destination, message_ids FROM publications
WHERE post_id = $1 AND status = 'succeeded' AND destination LIKE 'telegram:%' AND message_ids <> '{}'
ORDER BY finished_at, id LIMIT 1
