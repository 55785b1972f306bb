-- name: session
-- The encrypted session of one name.
SELECT session FROM telegram_sessions WHERE name = $1

-- name: put_session
-- Keeps a session, in place of an older one.
INSERT INTO telegram_sessions (name, session, account_id) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE
SET session = excluded.session, account_id = excluded.account_id, signed_in_at = now()

-- name: peer
-- What an account knows of an address.
SELECT kind, peer_id, access_hash, title FROM telegram_peers WHERE account_id = $1 AND address = $2

-- name: peers
-- What an account knows of several addresses.
SELECT address, kind, peer_id, access_hash, title FROM telegram_peers WHERE account_id = $1 AND address = ANY($2::text[])

-- name: put_peer
-- Keeps what an address stands for.
INSERT INTO telegram_peers (account_id, address, kind, peer_id, access_hash, title) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account_id, address) DO UPDATE
SET kind = excluded.kind, peer_id = excluded.peer_id, access_hash = excluded.access_hash, title = excluded.title,
    resolved_at = now()

-- name: put_peers
-- Keeps what several addresses stand for.
INSERT INTO telegram_peers (account_id, address, kind, peer_id, access_hash, title)
SELECT $1, address, kind, peer_id, access_hash, title
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[])
     AS seen (address, kind, peer_id, access_hash, title)
ORDER BY address
ON CONFLICT (account_id, address) DO UPDATE
SET kind = excluded.kind, peer_id = excluded.peer_id, access_hash = excluded.access_hash, title = excluded.title,
    resolved_at = now()

-- name: forget_peer
-- Forgets an address, so that it is resolved again.
DELETE FROM telegram_peers WHERE account_id = $1 AND address = $2
