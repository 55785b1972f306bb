-- name: collected
-- How many posts came in, per source.
SELECT coalesce(nullif(s.title, ''), s.address, '(own posts)') AS source, count(*) AS posts
FROM posts p LEFT JOIN sources s ON s.id = p.source_id GROUP BY 1 ORDER BY 1

-- name: states
-- Where they stand.
SELECT coalesce(nullif(s.title, ''), s.address, '(own posts)') AS source,
       CASE st.state WHEN 'duplicate' THEN 'duplicates' ELSE st.state END AS state, count(*) AS posts
FROM post_states st LEFT JOIN sources s ON s.id = st.source_id GROUP BY 1, 2

-- name: dead_letters
-- How many jobs ended in the dead letters.
SELECT count(*) FROM jobs WHERE status = 'failed'

-- name: contradictions
-- What one stage says and another one contradicts, in words, with the source it is about; at most a few of each kind.
SELECT coalesce(nullif(s.title, ''), s.address, '(own posts)') AS source, found.problem
FROM (
    (SELECT p.id AS post_id, format('post %s is a duplicate and was published to %s', p.id, pub.destination) AS problem
     FROM posts p JOIN publications pub ON pub.post_id = p.id
     WHERE p.duplicate_of IS NOT NULL AND pub.status = 'succeeded' LIMIT 5)
    UNION ALL
    (SELECT post_id, format('publication %s (post %s) succeeded without a message', id, post_id)
     FROM publications WHERE status = 'succeeded' AND cardinality(message_ids) = 0 LIMIT 5)
    UNION ALL
    (SELECT (array_agg(post_id))[1], format('message %s in %s belongs to %s publications', message, destination, count(*))
     FROM publications, unnest(message_ids) AS message WHERE status = 'succeeded'
     GROUP BY destination, message HAVING count(*) > 1 LIMIT 5)
    UNION ALL
    (SELECT f.post_id, format('post %s was published, and nobody asked for it', f.post_id)
     FROM post_facts f
     WHERE f.publications_succeeded > 0
       AND NOT EXISTS (SELECT FROM publish_packages k WHERE k.post_id = f.post_id) LIMIT 5)
    UNION ALL
    (SELECT pub.post_id, format('package %s has ended, and its publication %s has not', k.id, pub.id)
     FROM publish_packages k JOIN publications pub ON pub.package_id = k.id
     WHERE k.status IN ('succeeded', 'failed', 'cancelled') AND pub.status IN ('queued', 'in_progress') LIMIT 5)
    UNION ALL
    (SELECT t.post_id, format('broadcast %s was sent to %s %s times', t.id, min(a.chat), count(*))
     FROM broadcast_attempts a JOIN userbot_tasks t ON t.id = a.task_id WHERE a.outcome = 'sent'
     GROUP BY t.id, coalesce(a.peer_id::text, a.chat) HAVING count(*) > 1 LIMIT 5)
    UNION ALL
    (SELECT t.post_id, format('broadcast %s counts %s sent, %s errors, %s skipped, and its chats say %s, %s, %s', t.id,
                              t.sent_count, t.error_count, t.skipped_count, said.sent, said.errors, said.skipped)
     FROM userbot_tasks t
     CROSS JOIN LATERAL (
         SELECT count(*) FILTER (WHERE outcome = 'sent') AS sent,
                count(*) FILTER (WHERE outcome IN ('refused', 'unknown')) AS errors,
                count(*) FILTER (WHERE outcome = 'skipped') AS skipped
         FROM (SELECT DISTINCT ON (chat) outcome FROM broadcast_attempts WHERE task_id = t.id
               ORDER BY chat, attempt DESC) AS latest) AS said
     WHERE t.status = 'done' AND (t.sent_count, t.error_count, t.skipped_count) <> (said.sent, said.errors, said.skipped)
     LIMIT 5)
    UNION ALL
    (SELECT post_id, format('scheduled post %s says that it was published at %s, where post %s is not', id, target, post_id)
     FROM scheduled_posts s WHERE status = 'published'
       AND NOT EXISTS (SELECT FROM publications q WHERE q.post_id = s.post_id AND q.destination = s.target
                                                    AND q.status = 'succeeded') LIMIT 5)
    UNION ALL
    (SELECT post_id, format('broadcast %s is done, and has not come to an end in every chat', id)
     FROM userbot_tasks t WHERE status = 'done' AND cardinality(chats) <> sent_count + error_count + skipped_count LIMIT 5)
) AS found LEFT JOIN posts p ON p.id = found.post_id LEFT JOIN sources s ON s.id = p.source_id

-- name: images
-- What came of requests for images, and how many files of sources are kept.
SELECT count(*) FILTER (WHERE status = 'generated') AS generated, count(*) FILTER (WHERE status = 'failed') AS failed,
       (SELECT count(*) FROM media_fetches WHERE hash IS NOT NULL) AS fetched,
       (SELECT count(*) FROM media_fetches WHERE hash IS NULL) AS not_fetched
FROM illustrations

-- name: broadcasts
-- How many broadcasts stand how, and what came of their chats.
SELECT count(*) FILTER (WHERE status = 'done') AS done, count(*) FILTER (WHERE status = 'failed') AS failed,
       count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
       count(*) FILTER (WHERE status IN ('pending', 'processing')) AS open,
       coalesce(sum(sent_count), 0) AS sent, coalesce(sum(error_count), 0) AS errors,
       coalesce(sum(skipped_count), 0) AS skipped
FROM userbot_tasks

-- name: scheduled
-- How many scheduled posts stand how.
SELECT count(*) FILTER (WHERE status = 'scheduled') AS scheduled,
       count(*) FILTER (WHERE status = 'publishing') AS publishing,
       count(*) FILTER (WHERE status = 'published') AS published, count(*) FILTER (WHERE status = 'failed') AS failed,
       count(*) FILTER (WHERE status = 'cancelled') AS cancelled
FROM scheduled_posts

-- name: strays
-- Posts that are pending although nothing is on its way to them: no open job or publication, no event in the outbox.
SELECT coalesce(nullif(s.title, ''), s.address, '(own posts)') AS source,
       format('post %s (%s) %s', st.post_id, p.external_id,
              CASE WHEN st.routings_waiting > 0 THEN 'waits for an image that nobody makes' ELSE 'has no next step' END)
           AS problem
FROM post_states st JOIN posts p ON p.id = st.post_id LEFT JOIN sources s ON s.id = p.source_id
WHERE st.state = 'pending' AND st.jobs_open = 0 AND st.publications_open = 0
  AND NOT EXISTS (SELECT FROM outbox o WHERE o.headers::jsonb ->> 'ce-subject' = st.post_id::text)
LIMIT 20

-- name: funnel
-- The counts of the live view, cheap enough to be asked for twice a second.
SELECT (SELECT count(*) FROM posts) AS collected,
       (SELECT count(*) FROM posts WHERE duplicate_of IS NOT NULL) AS duplicates,
       (SELECT count(DISTINCT post_id) FROM rewrites) AS rewritten,
       (SELECT count(*) FROM publications WHERE status = 'succeeded') AS published,
       (SELECT count(*) FROM publications WHERE status IN ('queued', 'in_progress')) AS waiting,
       (SELECT count(*) FROM scheduled_posts WHERE status = 'scheduled') AS scheduled,
       (SELECT count(*) FROM publications WHERE status = 'unknown') AS unknown,
       (SELECT count(*) FROM illustrations WHERE status = 'generated') AS illustrated,
       (SELECT count(*) FROM userbot_tasks WHERE status = 'done') AS broadcasts,
       (SELECT coalesce(sum(sent_count), 0) FROM userbot_tasks) AS broadcast_messages,
       (SELECT count(*) FROM jobs WHERE status = 'failed') AS failed,
       (SELECT count(*) FROM jobs WHERE status IN ('queued', 'in_progress')) AS open_jobs,
       (SELECT count(*) FROM outbox) AS outbox
