-- name: beat
-- Says that a replica lives, and takes away rows of replicas that died a day ago.
WITH gone AS (DELETE FROM service_beats WHERE beat_at < now() - interval '1 day')
INSERT INTO service_beats (service, replica, address, ready, detail) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (service, replica) DO UPDATE
SET address = excluded.address, ready = excluded.ready, detail = excluded.detail, beat_at = now()

-- name: end
-- Takes the row of a replica away.
DELETE FROM service_beats WHERE service = $1 AND replica = $2
