-- name: begin
-- Keeps what the settings give of an account, where nothing is kept of it or the settings have changed.
INSERT INTO platform_tokens AS t (platform, account, given, tokens) VALUES ($1, $2, $3, $4)
ON CONFLICT (platform, account) DO UPDATE SET given = excluded.given, tokens = excluded.tokens, refreshed_at = now()
WHERE t.given <> excluded.given

-- name: find
-- The tokens of an account, for whoever is to refresh them alone.
SELECT tokens FROM platform_tokens WHERE platform = $1 AND account = $2 FOR UPDATE

-- name: refreshed
-- Replaces the tokens of an account.
UPDATE platform_tokens SET tokens = $3, refreshed_at = now() WHERE platform = $1 AND account = $2
