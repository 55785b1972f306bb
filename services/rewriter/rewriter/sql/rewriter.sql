-- name: add_rewrite
-- Writes rewrites, each given as a JSON object; a run that is repeated finds its own row there.
INSERT INTO rewrites (id, post_id, route_id, profile_id, profile_version, status, reason, title, text, entities, hashtags,
                      language, image_prompt, model, request, answer, prompt_tokens, completion_tokens, cost_usd, duration_ms,
                      remark)
SELECT r.*
FROM unnest($1::jsonb[]) AS given (rewrite)
CROSS JOIN LATERAL jsonb_to_record(given.rewrite) AS r (
    id uuid, post_id uuid, route_id uuid, profile_id uuid, profile_version integer, status text, reason text,
    title text, text text, entities jsonb, hashtags text[], language text, image_prompt text, model text, request jsonb, answer jsonb,
    prompt_tokens integer, completion_tokens integer, cost_usd numeric, duration_ms integer, remark text)
ON CONFLICT (id) DO NOTHING

-- name: recent
-- Finds what was rewritten last for any of these targets, the latest first.
SELECT latest.post_id, latest.title, latest.opening
FROM routes
CROSS JOIN LATERAL (
    SELECT r.post_id, r.title, left(r.text, 160) AS opening, r.created_at
    FROM rewrites r
    WHERE r.route_id = routes.id AND r.status = 'succeeded'
    ORDER BY r.created_at DESC LIMIT $2
) AS latest
WHERE routes.targets && $1::text[]
ORDER BY latest.created_at DESC LIMIT $2

-- name: picture
-- Finds a picture or video that a post brought along and that was fetched.
SELECT FROM post_media m JOIN attachments a ON a.post_id = m.post_id AND a.place = 'source/' || m.position
WHERE m.post_id = $1 AND m.kind IN ('photo', 'video', 'animation') LIMIT 1

-- name: content
-- One content.
SELECT id, post_id, profile_id, illustrate, deleted_at IS NOT NULL AS deleted FROM contents WHERE id = $1

-- name: image
-- Finds the image that was made for a rewrite, or for its post.
SELECT FROM attachments WHERE post_id = $1 AND place IN ('post', $2) LIMIT 1

-- name: keep_image
-- Gives rewrites the images of earlier ones.
SELECT attach_images(array_agg(a.post_id), array_agg('rewrite/' || given.rewrite_id), array_agg(a.hash))
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS given (post_id, earlier, rewrite_id)
JOIN attachments a ON a.post_id = given.post_id AND a.place = 'rewrite/' || given.earlier

-- name: hold
-- Lets posts await approval again that were to be rewritten, and were not.
SELECT hold_routing(post_id, route_id, 'rewrite', NULL, reason)
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS given (post_id, route_id, reason)
