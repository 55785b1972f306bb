-- name: newest
-- The newest posts of a source, or of all but the canary's; each with the newest rewrite by a profile, if there is one.
SELECT p.id, p.source_id, p.title, p.text, p.entities, p.collected_at, p.duplicate_of,
       w.id AS rewrite_id, w.text AS rewritten, w.entities AS rewritten_entities,
       EXISTS (SELECT FROM post_media m WHERE m.post_id = p.id) AS has_media,
       EXISTS (SELECT FROM post_media m
               JOIN attachments a ON a.post_id = m.post_id AND a.place = 'source/' || m.position
               WHERE m.post_id = p.id AND m.kind IN ('photo', 'video', 'animation')) AS pictured
FROM posts p
LEFT JOIN LATERAL (
    SELECT id, text, entities FROM rewrites
    WHERE post_id = p.id AND profile_id = $2 AND route_id IS NOT NULL AND status = 'succeeded'
    ORDER BY created_at DESC LIMIT 1
) AS w ON true
WHERE CASE WHEN $1::uuid IS NOT NULL THEN p.source_id = $1
           ELSE p.source_id IN (SELECT id FROM sources WHERE kind <> 'canary') END
ORDER BY p.collected_at DESC, p.id DESC LIMIT $3
