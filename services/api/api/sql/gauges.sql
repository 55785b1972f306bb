-- name: outbox
-- The events that are not yet in their stream, and the age of the oldest.
SELECT count(*) AS events, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest_seconds FROM outbox

-- name: replicas
-- The replicas of each service by their beats. Those that stopped in order are not there.
SELECT service, count(*) FILTER (WHERE lives AND ready) AS ready, count(*) FILTER (WHERE lives AND NOT ready) AS not_ready,
       count(*) FILTER (WHERE NOT lives) AS silent
FROM (SELECT service, ready, beat_at > now() - interval '15 seconds' AS lives FROM service_beats) AS beats GROUP BY service

-- name: overdue
-- The scheduled posts that are due and not under way.
SELECT count(*) AS posts, coalesce(extract(epoch FROM now() - min(due_at)), 0)::float8 AS seconds
FROM scheduled_posts WHERE status = 'scheduled' AND due_at <= now()

-- name: alerts
-- The alerts that fire.
SELECT kind, severity, count(*) AS alerts FROM alerts WHERE status = 'firing' GROUP BY kind, severity

-- name: jobs
-- The jobs that are open or failed, per queue.
SELECT queue, status, count(*) AS jobs FROM jobs WHERE status IN ('queued', 'in_progress', 'failed') GROUP BY queue, status

-- name: dead_letters
-- The dead letters that are kept, per consumer.
SELECT consumer, count(*) AS letters FROM dead_letters GROUP BY consumer
