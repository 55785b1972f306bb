-- name: open
-- The canary that is under way: since when, and what came of it so far.
SELECT c.post_id, c.target, c.limit_seconds, extract(epoch FROM now() - c.sent_at)::float8 AS seconds, s.state,
       p.status, p.last_error, extract(epoch FROM p.finished_at - c.sent_at)::float8 AS took,
       EXISTS (SELECT FROM queue_pauses WHERE until IS NULL OR until > now()) AS paused
FROM canary_runs c
JOIN post_states s USING (post_id)
LEFT JOIN publications p ON p.post_id = c.post_id AND p.destination = c.target
WHERE c.outcome IS NULL ORDER BY c.sent_at LIMIT 1

-- name: due
-- The seconds until the next canary; not above 0 where it is due.
SELECT $1::float8 - extract(epoch FROM now() - max(sent_at))::float8 AS seconds FROM canary_runs

-- name: begin
-- Records a canary.
INSERT INTO canary_runs (post_id, target, limit_seconds) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING

-- name: end
-- Records what came of a canary, once.
UPDATE canary_runs SET outcome = $2, ended_at = sent_at + $3 * interval '1 second', detail = $4
WHERE post_id = $1 AND outcome IS NULL
