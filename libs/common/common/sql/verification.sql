-- name: unpublished
-- Events that were committed a while ago and that no stream has acknowledged yet, oldest first.
SELECT id, consumer, cause_id, subject, headers, payload, extract(epoch FROM now() - created_at)::float8 AS age
FROM outbox WHERE created_at < now() - $1 * interval '1 second' ORDER BY created_at LIMIT $2

-- name: unheld
-- Open jobs that nobody holds: in progress without a lease, or due again a while ago. Those of paused queues wait on
-- purpose, and those whose message is on its way out. `sequence` is where the message lay in its stream when it was claimed
-- last; NULL where it is not kept any more.
SELECT j.consumer, j.event_id, j.queue, j.status, j.post_id, m.sequence,
       extract(epoch FROM now() - coalesce(j.lease_until, j.due_at, j.finished_at, j.started_at))::float8 AS age
FROM jobs j LEFT JOIN job_messages m USING (consumer, event_id)
WHERE ((j.lease_until IS NOT NULL AND j.status = 'in_progress' AND j.lease_until < now() - $1 * interval '1 second')
       OR (j.trouble = 'queued' AND j.status = 'queued'
           AND coalesce(j.due_at, j.finished_at, j.started_at) < now() - $1 * interval '1 second'))
  AND NOT EXISTS (SELECT FROM queue_pauses p WHERE p.queue = j.queue)
  AND NOT EXISTS (SELECT FROM outbox o WHERE (o.consumer, o.cause_id) = (j.consumer, j.event_id))
ORDER BY j.created_at LIMIT $2

-- name: stopped
-- Pending posts that had no next step a while before $1, which is when the oldest message was stored that still waits in a
-- stream: whatever is on its way to an older post is not in the streams. The next step is derived where that is safe:
-- a post that no job ever saw was lost on its way to the rewriter, and a rewrite without a routing on its way from it.
SELECT st.post_id, p.source_id, p.external_id,
       NOT EXISTS (SELECT FROM jobs j WHERE j.post_id = st.post_id)
       AND NOT EXISTS (SELECT FROM rewrites w WHERE w.post_id = st.post_id) AS untouched,  -- jobs are forgotten by age
       st.routings_waiting > 0 AS for_image,
       r.id AS rewrite_id, r.route_id
FROM post_states st JOIN posts p ON p.id = st.post_id
LEFT JOIN LATERAL (
    SELECT w.id, w.route_id FROM rewrites w
    WHERE w.post_id = st.post_id AND w.route_id IS NOT NULL AND w.status = 'succeeded'
      AND NOT EXISTS (SELECT FROM routings g WHERE g.post_id = w.post_id AND g.route_id = w.route_id)
    ORDER BY w.created_at DESC LIMIT 1) AS r ON true
WHERE st.state = 'pending' AND st.jobs_open = 0 AND st.publications_open = 0
  AND NOT EXISTS (SELECT FROM outbox o WHERE o.headers::jsonb ->> 'ce-subject' = st.post_id::text)
  AND greatest(p.collected_at, (SELECT max(j.finished_at) FROM jobs j WHERE j.post_id = st.post_id))
      < least($1::timestamptz, now()) - $2 * interval '1 second'
ORDER BY p.collected_at LIMIT $3

-- name: free
-- Lets a job be claimed again whose message is gone and which nobody holds.
UPDATE jobs SET status = 'queued', trouble = 'queued', lease_until = NULL, holder = NULL, due_at = NULL
WHERE consumer = $1 AND event_id = $2 AND status = 'in_progress' AND lease_until < now()

-- name: keep
-- Records what a verification found.
INSERT INTO verifications (balanced, findings, mended, report) VALUES ($1, $2, $3, $4)

-- name: latest
-- The latest verification.
SELECT at, balanced, findings, mended, report FROM verifications ORDER BY at DESC, id DESC LIMIT 1

-- name: canary
-- How the last canary that ended went, and how long one has been under way.
SELECT extract(epoch FROM ended.ended_at - ended.sent_at)::float8 AS seconds, ended.outcome,
       coalesce(ended.detail, '') AS detail, extract(epoch FROM now() - open.sent_at)::float8 AS waiting_seconds,
       coalesce(open.limit_seconds, ended.limit_seconds) AS limit_seconds,
       EXISTS (SELECT FROM queue_pauses WHERE until IS NULL OR until > now()) AS paused
FROM (SELECT 1) AS one
LEFT JOIN LATERAL (SELECT * FROM canary_runs WHERE outcome IS NOT NULL ORDER BY sent_at DESC LIMIT 1) AS ended ON true
LEFT JOIN LATERAL (SELECT * FROM canary_runs WHERE outcome IS NULL ORDER BY sent_at LIMIT 1) AS open ON true
WHERE open.post_id IS NOT NULL OR ended.post_id IS NOT NULL
