-- name: begin
-- Keeps what the settings give of an account, where nothing is kept of it or the settings have changed.
INSERT INTO platform_tokens AS t (platform, account, given, access_token, refresh_token)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (platform, account) DO UPDATE
SET given = excluded.given, access_token = excluded.access_token, refresh_token = excluded.refresh_token,
    refreshed_at = now()
WHERE t.given <> excluded.given

-- name: find
-- The tokens of an account, for whoever is to refresh them alone.
SELECT access_token, refresh_token FROM platform_tokens WHERE platform = $1 AND account = $2 FOR UPDATE

-- name: refreshed
-- Replaces the tokens of an account.
UPDATE platform_tokens SET access_token = $3, refresh_token = $4, refreshed_at = now() WHERE platform = $1 AND account = $2
