-- name: add
-- Adds the tasks of requests; one that is there already stays as it is.
INSERT INTO userbot_tasks (id, post_id, text, target_chat_ids, forward, account, not_before, traceparent)
SELECT id, post_id, text, ARRAY(SELECT jsonb_array_elements_text(chats::jsonb)), forward, account,
       coalesce(not_before, now()), traceparent
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::timestamptz[], $8::text[])
     AS given (id, post_id, text, chats, forward, account, not_before, traceparent)
ON CONFLICT (id) DO NOTHING

-- name: post_exists
-- Whether there is such a post.
SELECT EXISTS (SELECT FROM posts WHERE id = $1)

-- name: appear
-- Shows the account to people.
INSERT INTO userbot_accounts (name) VALUES ($1) ON CONFLICT DO NOTHING

-- name: take
-- Takes the oldest task that is due for this account, or one whose holder died, which is no new attempt. $4 is the cap of
-- the account in 24 hours, 0 for none. A task that is cancelled is not taken but ended.
WITH open AS (
    SELECT NOT EXISTS (SELECT FROM queue_pauses WHERE queue = 'broadcast_queue' AND coalesce(until > now(), true))
       AND NOT EXISTS (SELECT FROM userbot_accounts WHERE name = $1 AND stopped_at IS NOT NULL)
       AND NOT EXISTS (SELECT FROM userbot_tasks
                       WHERE status = 'processing' AND account = $1 AND lease_until >= clock_timestamp())
       AND ($4 = 0 OR (SELECT count(*) FROM (
               SELECT FROM broadcast_attempts WHERE account = $1 AND outcome = 'sent' AND finished_at > now() - interval '1 day'
               LIMIT $4) AS today) < $4) AS open
), next AS (
    SELECT id, status = 'processing' AS left_over FROM userbot_tasks
    WHERE cancel_requested_at IS NULL AND (account = $1 OR account IS NULL)
      AND (status = 'pending' AND not_before <= clock_timestamp() AND paused_at IS NULL AND (SELECT open FROM open)
           OR status = 'processing' AND coalesce(lease_until < clock_timestamp(), true))
    ORDER BY status = 'processing' DESC, created_at, id LIMIT 1
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE userbot_tasks AS t
SET status = 'processing', holder = $2, lease_until = clock_timestamp() + $3::float8 * interval '1 second', account = $1,
    attempts = CASE WHEN next.left_over THEN greatest(1, t.attempts) ELSE t.attempts + 1 END,
    started_at = coalesce(t.started_at, now())
FROM next WHERE t.id = next.id
RETURNING t.id, t.holder, t.post_id, t.text, t.target_chat_ids, t.forward, t.attempts, t.traceparent, t.material, t.chats

-- name: outlook
-- What there is to do for this account: how many tasks are open, and in how many seconds the next one is due, or the lease
-- of one ends whose holder may have died.
SELECT count(*)::int AS open,
       extract(epoch FROM min(t.at) FILTER (WHERE t.at > clock_timestamp()) - clock_timestamp())::float8 AS due_in
FROM (SELECT CASE status WHEN 'pending' THEN not_before ELSE lease_until END AS at FROM userbot_tasks
      WHERE status IN ('pending', 'processing') AND (account = $1 OR account IS NULL)) AS t

-- name: obstacle
-- Why this account takes no tasks at all, if it does not.
SELECT (SELECT 'broadcast_queue is paused by ' || paused_by || coalesce(': ' || nullif(reason, ''), '') FROM queue_pauses
        WHERE queue = 'broadcast_queue' AND coalesce(until > now(), true)) AS paused,
       (SELECT stopped_reason FROM userbot_accounts WHERE name = $1 AND stopped_at IS NOT NULL) AS stopped,
       $2 > 0 AND (SELECT count(*) FROM (
           SELECT FROM broadcast_attempts WHERE account = $1 AND outcome = 'sent' AND finished_at > now() - interval '1 day'
           LIMIT $2) AS today) >= $2 AS capped

-- name: renew
-- Renews the lease of a task; no row where it is no longer ours.
UPDATE userbot_tasks SET lease_until = clock_timestamp() + $3::float8 * interval '1 second'
WHERE id = $1 AND holder = $2 AND status = 'processing' RETURNING id

-- name: fix
-- Fixes what is sent and to whom; no row where the task is no longer ours.
UPDATE userbot_tasks SET material = $3, chats = $4 WHERE id = $1 AND holder = $2 AND status = 'processing' RETURNING id

-- name: park
-- Gives a task back; $3 takes are not counted, and it comes again after $5 seconds.
UPDATE userbot_tasks
SET status = 'pending', holder = NULL, lease_until = NULL, attempts = greatest(0, attempts - $3),
    last_error = coalesce($4, last_error),
    not_before = CASE WHEN $5::float8 > 0 THEN clock_timestamp() + $5::float8 * interval '1 second' ELSE not_before END
WHERE id = $1 AND holder = $2 AND status = 'processing' RETURNING id, post_id, traceparent

-- name: stop_account
-- Stops an account until a person resumes it.
INSERT INTO userbot_accounts AS a (name, stopped_at, stopped_reason) VALUES ($1, now(), $2)
ON CONFLICT (name) DO UPDATE SET stopped_at = now(), stopped_reason = excluded.stopped_reason
WHERE a.stopped_at IS NULL RETURNING stopped_at

-- name: close_doubts
-- Ends the chats of which it is not known whether it was sent there, as the task ends before that is found out.
WITH doubts AS (
    SELECT chat, max(attempt) AS attempt, max(account) AS account, max(peer_id) AS peer_id, min(started_at) AS started_at
    FROM broadcast_attempts WHERE task_id = $1 GROUP BY chat HAVING bool_or(outcome = 'sending')
), closed AS (
    UPDATE broadcast_attempts SET outcome = 'retry', finished_at = coalesce(finished_at, clock_timestamp())
    WHERE task_id = $1 AND outcome = 'sending'
), ended AS (
    INSERT INTO broadcast_attempts (task_id, chat, attempt, account, outcome, error, peer_id, started_at, finished_at)
    SELECT $1, chat, attempt + 1, account, 'unknown', $2, peer_id, started_at, clock_timestamp() FROM doubts
)
UPDATE userbot_tasks SET error_count = error_count + (SELECT count(*) FROM doubts) WHERE id = $1

-- name: end
-- Ends a task that is ours; no row where it is not.
UPDATE userbot_tasks AS t
SET status = $3, holder = NULL, lease_until = NULL, finished_at = now(),
    last_error = coalesce($4, (SELECT b.chat || ': ' || b.error FROM broadcast_attempts b
                               WHERE b.task_id = t.id AND b.outcome IN ('refused', 'unknown')
                               ORDER BY b.finished_at DESC LIMIT 1))
WHERE id = $1 AND holder = $2 AND status = 'processing'
RETURNING id, post_id, account, status, sent_count, error_count, skipped_count, last_error, traceparent

-- name: cancelled
-- Finds tasks that a person has cancelled and that nobody works on, and locks one of them.
SELECT id FROM userbot_tasks
WHERE cancel_requested_at IS NOT NULL
  AND (status = 'pending' OR status = 'processing' AND coalesce(lease_until < clock_timestamp(), true))
ORDER BY created_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED

-- name: cancel
-- Ends a cancelled task that nobody works on.
UPDATE userbot_tasks SET status = 'cancelled', holder = NULL, lease_until = NULL, finished_at = now()
WHERE id = $1 RETURNING id, post_id, account, status, sent_count, error_count, skipped_count, last_error, traceparent
