-- name: progress
-- How far each chat of a task is.
SELECT chat AS address, max(attempt) AS attempt, (array_agg(outcome ORDER BY attempt DESC))[1] AS outcome,
       (array_agg(peer_id ORDER BY attempt DESC) FILTER (WHERE peer_id IS NOT NULL))[1] AS peer_id,
       min(started_at) FILTER (WHERE outcome = 'sending') AS doubtful_since,
       extract(epoch FROM clock_timestamp() - min(started_at) FILTER (WHERE outcome = 'sending'))::float8 AS doubtful_for,
       min(account) FILTER (WHERE outcome = 'sending') AS doubt_of
FROM broadcast_attempts WHERE task_id = $1 GROUP BY chat

-- name: begin
-- Says whether a chat may be sent to now, and writes the try down before it is made ($10; without it nothing is written).
-- The random ids are those of every try. The task is locked: whoever takes it next sees the try.
WITH task AS (
    SELECT cancel_requested_at IS NOT NULL AS cancelled, paused_at IS NOT NULL AS paused
    FROM userbot_tasks WHERE id = $1 AND holder = $2 AND status = 'processing' FOR NO KEY UPDATE
), place AS (
    SELECT coalesce(bool_or(NOT enabled), false) AS disabled,
           min(messages_since_post) FILTER (WHERE few) AS written, max(min_messages_between) FILTER (WHERE few) AS asked
    FROM (SELECT enabled, messages_since_post, min_messages_between,
                 last_success_post_at IS NOT NULL AND messages_since_post < min_messages_between AS few
          FROM chats WHERE address = $3 OR peer_id = $6) AS known
), facts AS (
    SELECT (SELECT cancelled FROM task) AS cancelled, (SELECT paused FROM task) AS paused,
           EXISTS (SELECT FROM queue_pauses WHERE queue = 'broadcast_queue' AND coalesce(until > now(), true)) AS all_paused,
           EXISTS (SELECT FROM userbot_accounts WHERE name = $4 AND stopped_at IS NOT NULL) AS stopped,
           place.disabled, place.written, place.asked,
           (SELECT extract(epoch FROM blocked_until - clock_timestamp())::float8 FROM pacing
            WHERE key = 'userbot:' || $4 AND blocked_until > clock_timestamp()) AS wait,
           $9::int > 0 AND (SELECT count(*) FROM (
               SELECT FROM broadcast_attempts WHERE account = $4 AND outcome = 'sent' AND finished_at > now() - interval '1 day'
               LIMIT $9::int) AS today) >= $9::int AS capped
    FROM place
), verdict AS (
    SELECT CASE WHEN cancelled IS NULL THEN 'lost' WHEN cancelled THEN 'cancelled' WHEN paused THEN 'paused'
                WHEN all_paused THEN 'all_paused' WHEN stopped THEN 'stopped'
                WHEN $8 THEN CASE WHEN wait > 0 THEN 'wait' ELSE 'go' END  -- it may be there: nothing else matters any more
                WHEN disabled THEN 'disabled' WHEN asked IS NOT NULL THEN 'quiet'
                WHEN wait > 0 THEN 'wait' WHEN capped THEN 'capped' ELSE 'go' END AS verdict,
           coalesce(wait, 0) AS wait, written, asked
    FROM facts
), ids AS (
    SELECT send_random_ids($7::uuid, 0, $11) AS random_ids
), begun AS (
    INSERT INTO broadcast_attempts (task_id, chat, attempt, account, outcome, peer_id, random_ids)
    SELECT $1, $3, $5, $4, 'sending', $6, random_ids FROM verdict, ids WHERE verdict = 'go' AND $10
    ON CONFLICT DO NOTHING
)
SELECT verdict, wait, written, asked, random_ids, clock_timestamp() AS now FROM verdict, ids

-- name: record
-- Records what came of a try, once: in it, in the counts of its task, in what is known of the chat ($10: what stands in
-- the way there, $14: that it is to be known), and in the pace of the account, which waits for $13 seconds.
WITH task AS (
    SELECT id FROM userbot_tasks WHERE id = $1 AND holder = $2 AND status = 'processing' FOR NO KEY UPDATE
), tried AS (
    INSERT INTO broadcast_attempts AS b (task_id, chat, attempt, account, outcome, error, peer_id, message_ids, finished_at)
    SELECT $1, $3, $5, $4, $7, $8, $6, $9, clock_timestamp() FROM task
    ON CONFLICT (task_id, chat, attempt) DO UPDATE
    SET outcome = excluded.outcome, error = excluded.error, peer_id = coalesce(excluded.peer_id, b.peer_id),
        message_ids = excluded.message_ids, finished_at = excluded.finished_at
    WHERE b.outcome = 'sending'
    RETURNING b.outcome, b.outcome IN ('sent', 'refused', 'skipped', 'unknown') AS ended
), earlier AS (
    UPDATE broadcast_attempts AS b SET outcome = 'retry', finished_at = coalesce(b.finished_at, clock_timestamp())
    FROM tried WHERE b.task_id = $1 AND b.chat = $3 AND b.attempt <> $5 AND b.outcome = 'sending' AND tried.ended
), counted AS (
    UPDATE userbot_tasks AS t
    SET sent_count = t.sent_count + (tried.outcome = 'sent')::int,
        skipped_count = t.skipped_count + (tried.outcome = 'skipped')::int,
        error_count = t.error_count + (tried.outcome IN ('refused', 'unknown'))::int,
        last_error = CASE WHEN tried.outcome IN ('refused', 'unknown') THEN $3 || ': ' || $8 ELSE t.last_error END
    FROM tried WHERE t.id = $1 AND tried.ended
), known AS (
    UPDATE chats AS c
    SET peer_id = coalesce($6, c.peer_id),
        last_success_post_at = CASE WHEN tried.outcome = 'sent' THEN now() ELSE c.last_success_post_at END,
        messages_since_post = CASE WHEN tried.outcome = 'sent' THEN 0 ELSE c.messages_since_post END,
        counted_message_id = CASE WHEN tried.outcome = 'sent'
                                  THEN coalesce((SELECT max(m) FROM unnest($9::bigint[]) AS m), c.counted_message_id)
                                  ELSE c.counted_message_id END,
        flag = $10, flag_reason = $11, flagged_at = CASE WHEN $10::text IS NOT NULL THEN now() END
    FROM tried WHERE $14 AND (c.address = $3 OR c.peer_id = $6)
    RETURNING c.address
), met AS (
    INSERT INTO chats (address, title, peer_id, last_success_post_at, counted_message_id, flag, flag_reason, flagged_at)
    SELECT $3, $12, $6, CASE WHEN tried.outcome = 'sent' THEN now() END,
           coalesce((SELECT max(m) FROM unnest($9::bigint[]) AS m), 0), $10, $11,
           CASE WHEN $10::text IS NOT NULL THEN now() END
    FROM tried WHERE $14 AND NOT EXISTS (SELECT FROM known)
    ON CONFLICT DO NOTHING
), paced AS (
    INSERT INTO pacing AS p (key, arrival, blocked_until)
    SELECT 'userbot:' || $4, clock_timestamp(), clock_timestamp() + $13::float8 * interval '1 second' FROM tried
    WHERE $13::float8 > 0
    ON CONFLICT (key) DO UPDATE SET blocked_until = greatest(p.blocked_until, excluded.blocked_until)
)
SELECT EXISTS (SELECT FROM task) AS held

-- name: taken
-- The messages of a chat that belong to broadcasts already.
SELECT DISTINCT m FROM broadcast_attempts, unnest(message_ids) AS m
WHERE peer_id = $1 AND outcome = 'sent' AND started_at > $2::timestamptz - interval '1 day'

-- name: count
-- Counts messages that others wrote in chats that we know, each once.
UPDATE chats AS c
SET messages_since_post = c.messages_since_post + seen.fresh, counted_message_id = seen.newest
FROM (SELECT k.address, count(DISTINCT s.message_id) FILTER (WHERE s.message_id > k.counted_message_id)::int AS fresh,
             greatest(max(s.message_id), max(k.counted_message_id)) AS newest
      FROM unnest($1::bigint[], $2::bigint[]) AS s (peer_id, message_id) JOIN chats k USING (peer_id)
      GROUP BY k.address) AS seen
WHERE c.address = seen.address AND seen.fresh > 0
