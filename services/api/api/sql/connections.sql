-- name: server
-- The database server, and its time.
SELECT current_setting('server_version') AS version, now() AS at

-- name: beats
-- The latest signs of life, with what each replica finds; of a service without any living replica the last one.
SELECT service, address, version, started_at, beat_at, ready, detail, checks,
       beat_at < now() - $1 * interval '1 second' AS silent
FROM service_beats AS b
WHERE beat_at >= now() - $1 * interval '1 second'
   OR NOT EXISTS (SELECT FROM service_beats n WHERE n.service = b.service
                  AND (n.beat_at, n.replica) > (b.beat_at, b.replica))
ORDER BY service, started_at, replica
