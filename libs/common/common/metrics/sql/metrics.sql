-- name: queues
-- The jobs that ended between two times, per queue, and of all queues (where `queue` is NULL).
SELECT queue, count(*) AS ended, count(*) FILTER (WHERE status = 'succeeded') AS succeeded,
       count(*) FILTER (WHERE status = 'failed') AS failed, count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
       avg(attempts - 1)::float8 AS average_retries, avg(run) FILTER (WHERE status = 'succeeded') AS average_run_seconds,
       avg(total) FILTER (WHERE status = 'succeeded') AS average,
       percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY total) FILTER (WHERE status = 'succeeded') AS percentiles
FROM (SELECT queue, status, attempts, extract(epoch FROM finished_at - created_at)::float8 AS total,
             extract(epoch FROM finished_at - started_at)::float8 AS run
      FROM jobs
      WHERE finished_at >= $1 AND finished_at < $2 AND status IN ('succeeded', 'failed', 'cancelled')) AS ended
GROUP BY GROUPING SETS ((queue), ()) ORDER BY queue

-- name: funnel
-- What each stage did between two times.
SELECT came.collected, came.duplicates, made.rewritten, made.refused,
       (SELECT count(*) FROM illustrations WHERE created_at >= $1 AND created_at < $2 AND status = 'generated') AS illustrated,
       sent.published, sent.not_published,
       (SELECT count(*) FROM broadcast_attempts WHERE finished_at >= $1 AND finished_at < $2 AND outcome = 'sent')
           AS broadcast_messages
FROM (SELECT count(*) AS collected, count(duplicate_of) AS duplicates
      FROM posts WHERE collected_at >= $1 AND collected_at < $2) AS came,
     (SELECT count(DISTINCT post_id) FILTER (WHERE status = 'succeeded') AS rewritten,
             count(DISTINCT post_id) FILTER (WHERE status = 'refused') AS refused
      FROM rewrites WHERE created_at >= $1 AND created_at < $2) AS made,
     (SELECT count(*) FILTER (WHERE status = 'succeeded') AS published, count(*) FILTER (WHERE status = 'failed') AS not_published
      FROM publications WHERE finished_at >= $1 AND finished_at < $2) AS sent

-- name: models
-- What model calls took and cost between two times, per route and model, the dearest first. What a model refused is answered.
SELECT c.route_id, r.name AS route, c.model, c.kind, count(*) AS calls,
       count(*) FILTER (WHERE c.outcome NOT IN ('answered', 'refused')) AS failed,
       sum(c.prompt_tokens) AS prompt_tokens, sum(c.completion_tokens) AS completion_tokens,
       sum(c.cost_usd)::float8 AS cost_usd, avg(c.seconds)::float8 AS average_seconds
FROM model_calls c LEFT JOIN routes r ON r.id = c.route_id
WHERE c.at >= $1 AND c.at < $2
GROUP BY c.route_id, r.name, c.model, c.kind ORDER BY cost_usd DESC, calls DESC, c.model, c.route_id

-- name: waits
-- How long publications that went out between two times had waited for their turn and the pace, the longest first.
SELECT destination, count(*) AS publications, avg(waited) AS average,
       percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY waited) AS percentiles
FROM (SELECT destination, extract(epoch FROM coalesce(first_try_at, finished_at) - created_at)::float8 AS waited
      FROM publications WHERE finished_at >= $1 AND finished_at < $2 AND status = 'succeeded') AS sent
GROUP BY destination ORDER BY average DESC, destination

-- name: lateness
-- How late scheduled posts went out between two times, and what is due now and not under way.
SELECT late.published, late.average, late.percentiles, now_due.overdue, now_due.oldest_overdue_at
FROM (SELECT count(*) AS published, avg(seconds) AS average,
             percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY seconds) AS percentiles
      FROM (SELECT extract(epoch FROM published_at - scheduled_time)::float8 AS seconds FROM scheduled_posts
            WHERE published_at >= $1 AND published_at < $2 AND status = 'published') AS published) AS late,
     (SELECT count(*) AS overdue, min(due_at) AS oldest_overdue_at
      FROM scheduled_posts WHERE status = 'scheduled' AND due_at <= now()) AS now_due
