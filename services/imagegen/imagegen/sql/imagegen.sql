-- name: rewritten
-- Finds what a picture for a rewrite is drawn from, and for which route.
SELECT r.post_id, r.route_id, coalesce(routes.name, '') AS route, r.profile_id, r.title, r.text, r.image_prompt
FROM rewrites r LEFT JOIN routes ON routes.id = r.route_id WHERE r.id = $1

-- name: made
-- Finds the image that was made for a request, if it is still kept.
SELECT i.hash, i.prompt, i.model, i.size FROM illustrations i JOIN images USING (hash)
WHERE i.id = $1 AND i.status = 'generated'

-- name: add
-- Writes what came of requests, each given as a JSON object; a failure may be made good by a later run.
INSERT INTO illustrations AS i (id, post_id, rewrite_id, prompt, model, size, status, hash, reason, attempts,
                                input_tokens, output_tokens, cost_usd, duration_ms)
SELECT r.*
FROM unnest($1::jsonb[]) AS given (illustration)
CROSS JOIN LATERAL jsonb_to_record(given.illustration) AS r (
    id text, post_id uuid, rewrite_id uuid, prompt text, model text, size text, status text, hash text, reason text,
    attempts integer, input_tokens integer, output_tokens integer, cost_usd numeric, duration_ms integer)
ON CONFLICT (id) DO UPDATE
SET status = excluded.status, hash = excluded.hash, reason = excluded.reason, attempts = excluded.attempts,
    input_tokens = i.input_tokens + excluded.input_tokens, output_tokens = i.output_tokens + excluded.output_tokens,
    cost_usd = i.cost_usd + excluded.cost_usd, duration_ms = excluded.duration_ms
