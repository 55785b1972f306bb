-- name: list_broadcasts
-- A page of broadcasts, each with what it sends in a few words, how far it is, and the seconds that each of its latest
-- twenty chats took.
WITH page AS (
    SELECT *, sent_count + skipped_count + error_count AS done FROM userbot_tasks
    WHERE created_at <= $2 AND (created_at, id) < ($2, $3)
      AND ($4::text IS NULL OR status = $4) AND ($5::uuid IS NULL OR post_id = $5)
    ORDER BY created_at DESC, id DESC LIMIT $1
)
SELECT t.*, left(coalesce(t.text, nullif(p.title, ''), p.text, ''), 200) AS subject,
       coalesce(cardinality(t.chats), nullif(cardinality(t.target_chat_ids), 0)) AS total,
       t.done,
       CASE WHEN t.status = 'processing' AND t.paused_at IS NULL
            THEN now() + make_interval(secs => pace.chat_seconds * greatest(0, cardinality(t.chats) - t.done)) END
            AS ends_at,
       t.created_at AS page_at, t.id AS page_key
FROM page t
LEFT JOIN posts p ON p.id = t.post_id
CROSS JOIN LATERAL (
    SELECT (extract(epoch FROM max(finished_at) - min(finished_at)) / nullif(count(*) - 1, 0))::float8 AS chat_seconds
    FROM (SELECT finished_at FROM broadcast_attempts
          WHERE task_id = t.id AND t.status = 'processing' AND finished_at IS NOT NULL AND outcome <> 'retry'
          ORDER BY finished_at DESC LIMIT 20) latest
) AS pace
ORDER BY page_at DESC, page_key DESC

-- name: states
-- How many chats of a broadcast are in which state.
SELECT coalesce(l.outcome, 'waiting') AS state, count(*)::integer AS chats
FROM userbot_tasks t
CROSS JOIN LATERAL unnest(coalesce(t.chats, t.target_chat_ids)) AS c (chat)
LEFT JOIN LATERAL (SELECT outcome FROM broadcast_attempts b WHERE b.task_id = t.id AND b.chat = c.chat
                   ORDER BY b.attempt DESC LIMIT 1) l ON true
WHERE t.id = $1 GROUP BY state ORDER BY state

-- name: list_chats
-- A page of the chats of a broadcast, in their order, each with its latest try.
SELECT * FROM (
    SELECT c.chat, coalesce(known.title, '') AS title, coalesce(l.outcome, 'waiting') AS state,
           coalesce(l.attempt, 0) AS attempts, l.error, coalesce(l.message_ids, '{}') AS message_ids,
           coalesce(l.finished_at, l.started_at) AS at, known.flag,
           t.created_at AS page_at, 1000000 - c.n AS page_key
    FROM userbot_tasks t
    CROSS JOIN LATERAL unnest(coalesce(t.chats, t.target_chat_ids)) WITH ORDINALITY AS c (chat, n)
    LEFT JOIN chats known ON known.address = c.chat
    LEFT JOIN LATERAL (SELECT * FROM broadcast_attempts b WHERE b.task_id = t.id AND b.chat = c.chat
                       ORDER BY b.attempt DESC LIMIT 1) l ON true
    WHERE t.id = $4
) AS each
WHERE (page_at, page_key) < ($2, $3::text::bigint) AND ($5::text IS NULL OR state = $5)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: subject
-- What a broadcast sends, in a few words, and what it forwards.
SELECT left(coalesce(t.text, nullif(p.title, ''), p.text, ''), 200) AS subject
FROM userbot_tasks t LEFT JOIN posts p ON p.id = t.post_id WHERE t.id = $1
