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
