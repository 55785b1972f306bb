-- name: waiting
-- What waits for a person: posts to approve with the oldest, dead letters with the commonest cause, alerts that fire.
SELECT held.posts AS awaiting, held.oldest AS awaiting_since, letters.count AS dead_letters, cause.consumer AS dead_consumer,
       cause.error_class AS dead_error, cause.count AS dead_of_cause, fired.count AS alerts
FROM (SELECT count(DISTINCT o.post_id) AS posts, min(o.decided_at) AS oldest FROM routings o WHERE o.decision = 'hold') AS held,
     (SELECT count(*) FROM dead_letters) AS letters,
     (SELECT count(*) FROM alerts WHERE status = 'firing' AND acknowledged_at IS NULL) AS fired
LEFT JOIN (SELECT consumer, error_class, count(*) FROM dead_letters GROUP BY fingerprint, consumer, error_class
           ORDER BY count(*) DESC, consumer, error_class LIMIT 1) AS cause ON true

-- name: alerts
-- The alerts that fire and that nobody has seen, the worst first.
SELECT id, kind, severity, title, since FROM alerts WHERE status = 'firing' AND acknowledged_at IS NULL
ORDER BY severity = 'critical' DESC, since DESC LIMIT $1

-- name: decided
-- How many posts were rejected, and how many were sent on, between two times.
SELECT count(DISTINCT post_id) FILTER (WHERE decision = 'reject') AS rejected,
       count(DISTINCT post_id) FILTER (WHERE decision IN ('publish', 'schedule')) AS approved
FROM routings WHERE decided_at >= $1 AND decided_at < $2

-- name: published_posts
-- How many posts were published between two times, at whatever targets.
SELECT count(DISTINCT post_id) AS posts FROM publications WHERE finished_at >= $1 AND finished_at < $2 AND status = 'succeeded'

-- name: latest
-- The latest of what became of posts, newest first.
SELECT what, at, post_id, detail,
       coalesce(nullif(p.title, ''), left(split_part(p.text, E'\n', 1), 160)) AS title
FROM (
    (SELECT 'published' AS what, finished_at AS at, post_id, destination AS detail FROM publications
     WHERE status = 'succeeded' AND finished_at > now() - interval '1 day' ORDER BY finished_at DESC LIMIT $1)
    UNION ALL
    (SELECT 'rewritten', created_at, post_id, model FROM rewrites
     WHERE status = 'succeeded' AND created_at > now() - interval '1 day' ORDER BY created_at DESC LIMIT $1)
    UNION ALL
    (SELECT CASE WHEN duplicate_of IS NULL THEN 'collected' ELSE 'duplicate' END, collected_at, id, '' FROM posts
     ORDER BY collected_at DESC, id DESC LIMIT $1)
    UNION ALL
    (SELECT 'failed', died_at, post_id, consumer FROM dead_letters WHERE post_id IS NOT NULL
     ORDER BY died_at DESC, number DESC LIMIT $1)
) AS happened JOIN posts p ON p.id = happened.post_id
ORDER BY at DESC, what LIMIT $1

-- name: services
-- The services by their beats: how many replicas are ready, are not, and are silent; and what those that are not ready say.
SELECT service, count(*) FILTER (WHERE lives AND ready) AS ready, count(*) FILTER (WHERE lives AND NOT ready) AS not_ready,
       count(*) FILTER (WHERE NOT lives) AS silent, max(detail) FILTER (WHERE lives AND NOT ready) AS detail
FROM (SELECT service, ready, detail::text AS detail, beat_at > now() - interval '15 seconds' AS lives FROM service_beats) AS beats
GROUP BY service ORDER BY service

-- name: sample
-- Notes how the queues stand in this minute. Of several replicas the first one counts.
INSERT INTO queue_history (queue, minute, backlog)
SELECT queue, date_trunc('minute', now()), backlog FROM unnest($1::text[], $2::bigint[]) AS sampled (queue, backlog)
ON CONFLICT DO NOTHING

-- name: forget
-- Forgets what is older than a day.
DELETE FROM queue_history WHERE minute < now() - interval '1 day'

-- name: history
-- How each queue stood in the last hour, oldest first.
SELECT queue, array_agg(backlog ORDER BY minute) AS backlog FROM queue_history
WHERE minute > now() - interval '61 minutes' GROUP BY queue

-- name: dead
-- How many dead letters each queue has.
SELECT queue, count(*) AS letters FROM dead_letters GROUP BY queue

-- name: spent
-- What calls to models cost between two times.
SELECT coalesce(sum(cost_usd), 0)::float8 AS usd FROM model_calls WHERE at >= $1 AND at < $2
