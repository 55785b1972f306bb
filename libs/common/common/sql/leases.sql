-- name: take
-- Takes a lease that is free or ours; no row where somebody else holds it.
INSERT INTO leases (name, holder, expires_at) VALUES ($1, $2, now() + $3 * interval '1 second')
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE leases.holder = excluded.holder OR leases.expires_at < now()
RETURNING name

-- name: release
-- Gives a lease back.
DELETE FROM leases WHERE name = $1 AND holder = $2
