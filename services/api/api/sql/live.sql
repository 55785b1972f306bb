-- name: issue
-- Makes a ticket, and forgets those that have expired.
WITH expired AS (DELETE FROM event_tickets WHERE expires_at <= now())
INSERT INTO event_tickets (digest, token_id, expires_at) VALUES ($1, $2, now() + $3 * interval '1 second')
RETURNING expires_at

-- name: redeem
-- Uses a ticket up; returns its token, unless that has ended.
WITH used AS (DELETE FROM event_tickets WHERE digest = $1 AND expires_at > now() RETURNING token_id)
SELECT id, name, scope, created_by, created_at, t.expires_at, revoked_at, last_used_at
FROM used JOIN api_tokens t ON t.id = used.token_id
WHERE revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())

-- name: ended
-- Which of these tokens are good no more.
SELECT id FROM api_tokens WHERE id = ANY ($1::uuid[]) AND (revoked_at IS NOT NULL OR expires_at <= now())
