-- name: try_key
-- Takes the lock of an idempotency key until the transaction ends; false where another request has it.
SELECT pg_try_advisory_xact_lock(hashtextextended($1, 1))

-- name: find_key
-- What was answered to a request with this key.
SELECT request, status, headers, body FROM idempotency_keys
WHERE token_id = $1 AND key = $2 AND method = $3 AND path = $4 AND created_at > now() - interval '24 hours'

-- name: keep_key
-- Stores what is answered to a request with a key.
INSERT INTO idempotency_keys (token_id, key, method, path, request, status, headers, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (token_id, key, method, path) DO UPDATE
SET request = excluded.request, status = excluded.status, headers = excluded.headers, body = excluded.body, created_at = now()

-- name: record
-- Records who changed what.
INSERT INTO audit_log (actor, action, object, before, after, request_id) VALUES ($1, $2, $3, $4, $5, $6)

-- name: prune
-- Forgets answers after a day, and what webhooks were told after 30.
WITH keys AS (DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours')
DELETE FROM webhook_deliveries WHERE status <> 'pending' AND created_at < now() - interval '30 days'
