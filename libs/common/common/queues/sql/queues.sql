-- name: pauses
-- The queues that stand still now.
SELECT queue, paused_at, paused_by, reason, until FROM queue_pauses
WHERE ($1::text[] IS NULL OR queue = ANY($1)) AND coalesce(until > now(), true) ORDER BY queue

-- name: changes
-- The settings that were changed, of these queues or of all.
SELECT name, value, reason, changed_by, changed_at FROM runtime_settings
WHERE $1::text[] IS NULL OR split_part(name, '.', 1) = ANY($1) ORDER BY name

-- name: replicas
-- What the replicas tell that live; $2 are the seconds after which one that is silent does not.
SELECT service, replica, durable, queue, settings, holding, in_flight, rate, seen_at FROM queue_replicas
WHERE ($1::text[] IS NULL OR queue = ANY($1)) AND seen_at > now() - make_interval(secs => $2::float8)
ORDER BY queue, durable, service, replica

-- name: report
-- Says how a replica works on its queues, and takes away what replicas told that died a day ago.
WITH gone AS (DELETE FROM queue_replicas WHERE seen_at < now() - interval '1 day')
INSERT INTO queue_replicas (service, replica, durable, queue, settings, holding, in_flight, rate)
SELECT $1, $2, durable, queue, settings::jsonb, holding, in_flight, rate
FROM unnest($3::text[], $4::text[], $5::text[], $6::boolean[], $7::int[], $8::float8[])
     AS told (durable, queue, settings, holding, in_flight, rate)
ON CONFLICT (replica, durable) DO UPDATE
SET settings = excluded.settings, holding = excluded.holding, in_flight = excluded.in_flight, rate = excluded.rate,
    seen_at = now()

-- name: leave
-- Takes away what a replica told: it stopped in order.
DELETE FROM queue_replicas WHERE replica = $1

-- name: pause
-- Pauses queues; pausing again replaces who, why and the end.
INSERT INTO queue_pauses (queue, paused_by, reason, until)
SELECT queue, $2, $3, $4 FROM unnest($1::text[]) AS queue
ON CONFLICT (queue) DO UPDATE
SET paused_at = now(), paused_by = excluded.paused_by, reason = excluded.reason, until = excluded.until

-- name: resume
-- Lets queues go on; returns those that stood still.
WITH gone AS (DELETE FROM queue_pauses WHERE queue = ANY($1) RETURNING queue, until)
SELECT queue FROM gone WHERE coalesce(until > now(), true) ORDER BY queue

-- name: change
-- Changes settings.
INSERT INTO runtime_settings (name, value, reason, changed_by)
SELECT name, value::jsonb, $3, $4 FROM unnest($1::text[], $2::text[]) AS given (name, value)
ON CONFLICT (name) DO UPDATE
SET value = excluded.value, reason = excluded.reason, changed_by = excluded.changed_by, changed_at = now()

-- name: unset
-- Takes changes back, so that the environment or the default holds.
DELETE FROM runtime_settings WHERE name = ANY($1)

-- name: publications
-- What stands behind publish_queue: publications that are due or being sent, how old the oldest is, and how many per second
-- their destinations took in the last five minutes.
WITH waiting AS (
    SELECT destination, status, due_at FROM publications WHERE status = 'queued' AND due_at <= now()
    UNION ALL
    SELECT destination, status, due_at FROM publications WHERE status = 'in_progress'
), busy AS (SELECT DISTINCT destination FROM waiting)
SELECT count(*)::int AS behind, count(*) FILTER (WHERE status = 'in_progress')::int AS running,
       extract(epoch FROM now() - min(due_at))::float8 AS oldest_seconds,
       coalesce((SELECT sum(sent.sent) FROM busy CROSS JOIN LATERAL (
                     SELECT count(*) AS sent FROM publications p WHERE p.destination = busy.destination
                     AND p.status = 'succeeded' AND p.finished_at > now() - interval '5 minutes') AS sent), 0)::float8 / 300
           AS rate
FROM waiting

-- name: broadcasts
-- What stands behind broadcast_queue: broadcasts that are due or under way. Each takes as long as its chats do, so that a
-- rate of them would say nothing.
SELECT count(*)::int AS behind, count(*) FILTER (WHERE status = 'processing')::int AS running,
       extract(epoch FROM now() - min(not_before))::float8 AS oldest_seconds, 0::float8 AS rate
FROM userbot_tasks WHERE status IN ('pending', 'processing') AND not_before <= now()
