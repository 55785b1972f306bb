-- name: beat
-- Says that a replica lives, and takes away rows of replicas that died a day ago and were replaced: the last one of a
-- service that has gone says that it is missed.
WITH gone AS (
    DELETE FROM service_beats AS old WHERE beat_at < now() - interval '1 day'
    AND EXISTS (SELECT FROM service_beats AS new WHERE new.service = old.service AND new.beat_at > old.beat_at)
)
INSERT INTO service_beats (service, replica, address, ready, detail, checks, version)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (service, replica) DO UPDATE
SET address = excluded.address, ready = excluded.ready, detail = excluded.detail, checks = excluded.checks,
    version = excluded.version, beat_at = now()

-- name: end
-- Takes the row of a replica away.
DELETE FROM service_beats WHERE service = $1 AND replica = $2
