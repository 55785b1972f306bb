-- name: busy
-- Whether the records know of work that is not done: open jobs, unpublished events, open publications, unread sources,
-- broadcasts that are due within a minute, unless they, their account or their queue stand still by a decision, and
-- scheduled posts that are due within a minute, unless the workers are switched off.
SELECT EXISTS (SELECT FROM outbox)
    OR EXISTS (SELECT FROM jobs WHERE status IN ('queued', 'in_progress'))
    OR EXISTS (SELECT FROM publications WHERE status IN ('queued', 'in_progress'))
    OR EXISTS (SELECT FROM scheduled_posts s WHERE s.status = 'publishing'
               AND NOT EXISTS (SELECT FROM publications q WHERE q.post_id = s.post_id AND q.status = 'unknown'))
    OR EXISTS (SELECT FROM scheduled_posts WHERE status = 'scheduled' AND due_at < now() + interval '1 minute')
       AND NOT EXISTS (SELECT FROM worker_beats WHERE worker = 'ScheduledPostsWorker' AND NOT running
                                                  AND last_beat > now() - interval '15 seconds')
    OR EXISTS (SELECT FROM userbot_tasks t
               WHERE t.status IN ('pending', 'processing') AND t.not_before < now() + interval '1 minute'
                 AND t.paused_at IS NULL
                 AND NOT EXISTS (SELECT FROM userbot_accounts a WHERE a.name = t.account AND a.stopped_at IS NOT NULL)
                 AND NOT EXISTS (SELECT FROM queue_pauses q
                                 WHERE q.queue = 'broadcast_queue' AND coalesce(q.until > now(), true)))
    OR EXISTS (SELECT FROM sources s LEFT JOIN source_states st ON st.source_id = s.id
               WHERE s.enabled AND s.kind <> 'import' AND st.last_run_at IS NULL) AS busy

-- name: to_broadcast
-- What there is to know of a post before it is broadcast.
SELECT duplicate_of, EXISTS (SELECT FROM publications WHERE post_id = $1 AND status = 'succeeded'
                                                        AND destination LIKE 'telegram:%') AS published
FROM posts WHERE id = $1

-- name: images_like
-- The images whose hash begins like this; more than one is too many.
SELECT hash FROM images WHERE hash LIKE $1 || '%' LIMIT 2

-- name: images_due
-- How many images no post has, and nobody has used for so many seconds.
SELECT count(*) AS images, coalesce(sum(size_bytes), 0)::bigint AS size_bytes FROM images i
WHERE last_used_at < now() - make_interval(secs => $1::float8)
  AND NOT EXISTS (SELECT FROM attachments a WHERE a.hash = i.hash)

-- name: services
-- The replicas that beat within the last 15 seconds, and how they are.
SELECT service, address, ready, detail, started_at, beat_at FROM service_beats
WHERE beat_at > now() - interval '15 seconds' ORDER BY service, started_at

-- name: notifications
-- The latest notifications.
SELECT kind, severity, title, detail, count, post_id, first_at, last_at FROM notifications ORDER BY last_at DESC LIMIT $1

-- name: alerts
-- The alerts that fire, the first one first.
SELECT kind, severity, title, count, since FROM alerts WHERE status = 'firing' ORDER BY since

-- name: stopped_accounts
-- The accounts that nothing is sent from until a person says so.
SELECT name, stopped_at, stopped_reason FROM userbot_accounts WHERE stopped_at IS NOT NULL ORDER BY name

-- name: sources
-- How each source was read last.
SELECT s.kind, s.address, s.title, st.last_run_at, st.last_success_at, st.last_error, coalesce(st.failures, 0) AS failures
FROM sources s LEFT JOIN source_states st ON st.source_id = s.id WHERE s.enabled AND s.kind <> 'canary' ORDER BY s.address

-- name: latest_posts
-- The posts that came in last, all or those in one state.
SELECT p.id, p.collected_at, coalesce(nullif(s.title, ''), s.address, '(own posts)') AS source, st.state,
       left(replace(p.text, E'\n', ' '), 60) AS text
FROM posts p JOIN post_states st ON st.post_id = p.id LEFT JOIN sources s ON s.id = p.source_id
WHERE $1::text IS NULL OR st.state = $1 ORDER BY p.collected_at DESC, p.id LIMIT 20

-- name: trace_post
-- One post.
SELECT p.id, p.external_id, p.title, left(p.text, 200) AS text, p.url, p.posted_at, p.collected_at, p.duplicate_of, p.trace_id,
       coalesce(nullif(s.title, ''), s.address, '(own posts)') AS source, st.state
FROM posts p JOIN post_states st ON st.post_id = p.id LEFT JOIN sources s ON s.id = p.source_id WHERE p.id = $1

-- name: trace_events
-- Everything that happened to a post, in order.
SELECT * FROM (
    SELECT collected_at AS at, 'collected' AS what,
           concat_ws(', ', 'as ' || external_id, 'a duplicate of ' || duplicate_of) AS detail, trace_id
    FROM posts WHERE id = $1
    UNION ALL
    SELECT started_at, 'job ' || queue, concat_ws(', ', 'claim ' || attempts, 'consumer ' || consumer, status, last_error),
           trace_id
    FROM jobs WHERE post_id = $1
    UNION ALL
    SELECT created_at, 'rewritten', concat_ws(', ', status, model, prompt_tokens + completion_tokens || ' tokens',
                                              cost_usd || ' USD', duration_ms || ' ms', reason), NULL
    FROM rewrites WHERE post_id = $1
    UNION ALL
    SELECT decided_at, 'routed', concat_ws(', ', decision, array_to_string(targets, ' '), nullif(reason, '')), NULL
    FROM routings WHERE post_id = $1
    UNION ALL
    SELECT created_at, 'scheduled', concat_ws(', ', target, 'for ' || to_char(scheduled_time AT TIME ZONE 'UTC',
                                                                              'YYYY-MM-DD HH24:MI:SS'), 'by ' || created_by),
           NULL
    FROM scheduled_posts WHERE post_id = $1
    UNION ALL
    SELECT updated_at, 'scheduled post ' || status, concat_ws(', ', target, last_error), NULL
    FROM scheduled_posts WHERE post_id = $1 AND status <> 'scheduled'
    UNION ALL
    SELECT requested_at, 'publish requested', concat_ws(', ', 'package ' || id), substr(traceparent, 4, 32)
    FROM publish_packages WHERE post_id = $1
    UNION ALL
    SELECT first_try_at, 'first try', destination, NULL FROM publications
    WHERE post_id = $1 AND first_try_at IS NOT NULL
    UNION ALL
    SELECT finished_at, 'publication ' || status,
           concat_ws(', ', destination, 'message ' || array_to_string(message_ids, ' '), url, last_error), NULL
    FROM publications WHERE post_id = $1 AND finished_at IS NOT NULL
    UNION ALL
    SELECT finished_at, 'package ' || status, concat_ws(', ', id, reason), substr(traceparent, 4, 32)
    FROM publish_packages WHERE post_id = $1 AND finished_at IS NOT NULL
    UNION ALL
    SELECT fetched_at, CASE WHEN hash IS NULL THEN 'medium left out' ELSE 'medium fetched' END,
           concat_ws(', ', 'number ' || position, left(hash, 12), problem), NULL
    FROM media_fetches WHERE post_id = $1
    UNION ALL
    SELECT created_at, 'image ' || status,
           concat_ws(', ', CASE WHEN rewrite_id IS NULL THEN 'for the post' ELSE 'for rewrite ' || rewrite_id END,
                     left(hash, 12), model, attempts || ' tries', cost_usd || ' USD', duration_ms || ' ms', reason), NULL
    FROM illustrations WHERE post_id = $1
    UNION ALL
    SELECT created_at, 'broadcast requested',
           concat_ws(', ', id, coalesce(nullif(cardinality(coalesce(chats, target_chat_ids)), 0)::text, 'usual') || ' chats',
                     CASE WHEN forward THEN 'forwarded' END,
                     CASE WHEN not_before > created_at THEN 'due ' || to_char(not_before AT TIME ZONE 'UTC',
                                                                              'YYYY-MM-DD HH24:MI:SS') END),
           substr(traceparent, 4, 32)
    FROM userbot_tasks WHERE post_id = $1
    UNION ALL
    SELECT started_at, 'broadcast started', concat_ws(', ', id, account), substr(traceparent, 4, 32)
    FROM userbot_tasks WHERE post_id = $1 AND started_at IS NOT NULL
    UNION ALL
    SELECT finished_at, 'broadcast ' || status,
           concat_ws(', ', id, sent_count || ' sent', error_count || ' errors', skipped_count || ' skipped', last_error),
           substr(traceparent, 4, 32)
    FROM userbot_tasks WHERE post_id = $1 AND finished_at IS NOT NULL
    UNION ALL
    SELECT first_at, 'notification', concat_ws(', ', severity, title), NULL FROM notifications WHERE post_id = $1
) AS history ORDER BY at
