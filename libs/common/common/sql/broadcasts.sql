-- name: list
-- One broadcast, or the newest of one status; with how many of its chats are through, and the seconds that each of its
-- latest twenty chats took. What any account may take waits as soon as all are stopped.
SELECT t.id, t.post_id, t.text, t.forward, t.account, t.status, t.attempts, t.sent_count, t.error_count, t.skipped_count,
       t.last_error, t.not_before, t.paused_at, t.paused_by, t.cancel_requested_at, t.cancelled_by, a.stopped_reason,
       t.created_at, t.started_at, t.finished_at, waiting.awaited_since, now() AS now,
       coalesce(cardinality(t.chats), nullif(cardinality(t.target_chat_ids), 0)) AS total,
       progress.done::integer AS done, pace.chat_seconds
FROM userbot_tasks t
LEFT JOIN LATERAL (
    SELECT stopped_reason FROM userbot_accounts WHERE stopped_at IS NOT NULL
    AND (name = t.account OR t.account IS NULL AND NOT EXISTS (SELECT FROM userbot_accounts WHERE stopped_at IS NULL))
    ORDER BY stopped_at LIMIT 1
) AS a ON true
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE outcome IN ('sent', 'refused', 'skipped', 'unknown')) AS done
    FROM (SELECT DISTINCT ON (chat) outcome FROM broadcast_attempts WHERE task_id = t.id ORDER BY chat, attempt DESC) l
) AS progress
CROSS JOIN LATERAL (
    SELECT (extract(epoch FROM max(finished_at) - min(finished_at)) / nullif(count(*) - 1, 0))::float8 AS chat_seconds
    FROM (SELECT finished_at FROM broadcast_attempts WHERE task_id = t.id AND finished_at IS NOT NULL AND outcome <> 'retry'
          ORDER BY finished_at DESC LIMIT 20) latest
) AS pace
CROSS JOIN LATERAL (
    SELECT min(started_at) FILTER (WHERE t.finished_at IS NULL) AS awaited_since
    FROM broadcast_attempts WHERE task_id = t.id AND outcome = 'sending'
) AS waiting
WHERE ($1::uuid IS NULL OR t.id = $1) AND ($2::text IS NULL OR t.status = $2)
ORDER BY t.created_at DESC, t.id LIMIT $3

-- name: find
-- At most two broadcasts whose ids begin so.
SELECT id FROM userbot_tasks WHERE starts_with(id::text, $1) LIMIT 2

-- name: chats
-- The chats of a broadcast in their order, each with its latest try.
SELECT c.chat, l.outcome, coalesce(l.attempt, 0) AS attempts, l.error, l.message_ids,
       coalesce(l.finished_at, l.started_at) AS at
FROM userbot_tasks t
CROSS JOIN LATERAL unnest(coalesce(t.chats, t.target_chat_ids)) WITH ORDINALITY AS c (chat, n)
LEFT JOIN LATERAL (SELECT * FROM broadcast_attempts b WHERE b.task_id = t.id AND b.chat = c.chat
                   ORDER BY b.attempt DESC LIMIT 1) l ON true
WHERE t.id = $1 ORDER BY c.n

-- name: pause
-- Pauses a broadcast that has not ended; who paused it first stays.
UPDATE userbot_tasks SET paused_by = CASE WHEN paused_at IS NULL THEN $2 ELSE paused_by END,
       paused_at = coalesce(paused_at, now())
WHERE id = $1 AND status IN ('pending', 'processing')

-- name: resume
-- Lets a broadcast go on that has not ended.
UPDATE userbot_tasks SET paused_at = NULL, paused_by = NULL WHERE id = $1 AND status IN ('pending', 'processing')

-- name: cancel
-- Ends a broadcast that nobody works on and of which no send is in doubt; asks the worker to end any other one.
UPDATE userbot_tasks t
SET cancel_requested_at = coalesce(t.cancel_requested_at, now()), cancelled_by = coalesce(t.cancelled_by, $2),
    status = CASE WHEN free.free THEN 'cancelled' ELSE t.status END,
    finished_at = CASE WHEN free.free THEN now() END
FROM (SELECT status = 'pending' AND NOT EXISTS (SELECT FROM broadcast_attempts b
                                                WHERE b.task_id = $1 AND b.outcome = 'sending') AS free
      FROM userbot_tasks WHERE id = $1 FOR UPDATE) AS free
WHERE t.id = $1 AND t.status IN ('pending', 'processing')
RETURNING t.status, t.post_id, t.account, t.sent_count, t.error_count, t.skipped_count, t.last_error

-- name: accounts
-- The accounts that have broadcast, or were ready to.
SELECT name FROM userbot_accounts ORDER BY name

-- name: resume_account
-- Lets an account send again.
UPDATE userbot_accounts SET stopped_at = NULL, stopped_reason = NULL WHERE name = $1 AND stopped_at IS NOT NULL
