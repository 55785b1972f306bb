-- name: list_users
-- A page of users.
SELECT id, login, name, role, language, time_zone, theme, shortcuts, password_at, created_by, created_at, disabled_at,
       seen_at, created_at AS page_at, id AS page_key
FROM users WHERE created_at <= $2 AND (created_at, id) < ($2, $3)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: list_tokens
-- A page of tokens.
SELECT id, name, scope, created_by, created_at, expires_at, revoked_at, last_used_at, created_at AS page_at,
       id AS page_key
FROM api_tokens WHERE created_at <= $2 AND (created_at, id) < ($2, $3)
ORDER BY page_at DESC, page_key DESC LIMIT $1
