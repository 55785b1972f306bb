-- name: create
-- Adds a token. The name of one that has expired becomes free.
WITH retired AS (
    UPDATE api_tokens SET revoked_at = expires_at WHERE name = $1 AND revoked_at IS NULL AND expires_at <= now()
    RETURNING id
)
INSERT INTO api_tokens (name, digest, scope, expires_at, created_by)
SELECT $1, $2, $3, $4, $5 FROM (SELECT count(*) FROM retired) AS before
RETURNING id, name, scope, created_by, created_at, expires_at, revoked_at, last_used_at

-- name: list
-- All tokens.
SELECT id, name, scope, created_by, created_at, expires_at, revoked_at, last_used_at FROM api_tokens
ORDER BY created_at DESC, id

-- name: revoke
-- Revokes a token.
UPDATE api_tokens SET revoked_at = now() WHERE name = $1 AND revoked_at IS NULL
RETURNING id, name, scope, created_by, created_at, expires_at, revoked_at, last_used_at

-- name: find
-- A token by its digest; whether it has expired, and whether its last use was noted more than a minute ago.
SELECT id, name, scope, created_by, created_at, expires_at, revoked_at, last_used_at,
       coalesce(expires_at <= now(), false) AS expired,
       coalesce(last_used_at < now() - interval '1 minute', true) AS stale
FROM api_tokens WHERE digest = $1

-- name: used
-- Notes that a token was used.
UPDATE api_tokens SET last_used_at = now()
WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
