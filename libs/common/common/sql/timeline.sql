-- name: of_post
-- Everything that happened to a post, in order: what it was, as a kind with its data and in words. What is `minor` says how
-- rather than what. People's decisions stand in what was decided, as long as that is what holds, else in the audit log.
SELECT at, kind, minor, what, detail, trace_id, data FROM (
    SELECT 1 AS n, p.collected_at AS at, CASE WHEN p.duplicate_of IS NULL THEN 'collected' ELSE 'duplicate' END AS kind,
           false AS minor, 'collected' AS what,
           concat_ws(', ', 'as ' || p.external_id, 'a duplicate of ' || p.duplicate_of) AS detail, p.trace_id,
           jsonb_build_object('source_id', p.source_id, 'source', coalesce(nullif(s.title, ''), s.address), 'platform', s.kind,
                              'external_id', p.external_id, 'url', p.url, 'posted_at', p.posted_at,
                              'duplicate_of', p.duplicate_of, 'title', p.title) AS data
    FROM posts p LEFT JOIN sources s ON s.id = p.source_id WHERE p.id = $1
    UNION ALL
    SELECT 2, created_at, 'brief', false, 'brief', concat_ws(', ', title, 'by ' || created_by), NULL,
           jsonb_build_object('content_id', id, 'title', title, 'by', created_by, 'rule_id', rule_id)
    FROM contents WHERE post_id = $1
    UNION ALL
    SELECT 3, CASE WHEN status IN ('failed', 'cancelled') THEN coalesce(finished_at, started_at) ELSE started_at END,
           'job', true, 'job ' || queue,
           concat_ws(', ', 'claim ' || attempts, 'consumer ' || consumer, status, last_error), trace_id,
           jsonb_build_object('consumer', consumer, 'event_id', event_id, 'queue', queue, 'status', status,
                              'attempts', attempts - excused - crashes, 'crashes', crashes, 'error', last_error,
                              'error_class', error_class, 'created_at', created_at, 'finished_at', finished_at,
                              'due_at', CASE WHEN status = 'queued' THEN due_at END)
    FROM jobs WHERE post_id = $1
    UNION ALL
    SELECT 4, a.ended_at, 'run', a.outcome IN ('retry', 'skipped', 'drained'), 'run ' || a.outcome,
           concat_ws(', ', 'claim ' || a.attempt, 'consumer ' || a.consumer, a.error), j.trace_id,
           jsonb_build_object('consumer', a.consumer, 'event_id', a.event_id, 'queue', j.queue, 'attempt', a.attempt,
                              'outcome', a.outcome, 'error_class', a.error_class, 'error', a.error,
                              'started_at', a.started_at,
                              'next_at', CASE WHEN j.status = 'queued' AND a.attempt = j.attempts THEN j.due_at END)
    FROM jobs j JOIN job_attempts a USING (consumer, event_id) WHERE j.post_id = $1
    UNION ALL
    SELECT 5, at, 'model_call', outcome = 'answered', 'model call ' || outcome,
           concat_ws(', ', service, model, prompt_tokens + completion_tokens || ' tokens', cost_usd || ' USD',
                     round(seconds::numeric, 1) || ' s'), NULL,
           jsonb_build_object('service', service, 'kind', kind, 'model', model, 'outcome', outcome, 'tokens',
                              prompt_tokens + completion_tokens, 'cost_usd', cost_usd, 'seconds', seconds,
                              'consumer', consumer, 'event_id', event_id)
    FROM model_calls WHERE post_id = $1
    UNION ALL
    SELECT 6, created_at, CASE status WHEN 'succeeded' THEN 'rewritten' ELSE 'refused' END, false, 'rewritten',
           concat_ws(', ', status, model, prompt_tokens + completion_tokens || ' tokens', cost_usd || ' USD',
                     duration_ms || ' ms', reason), NULL,
           jsonb_build_object('rewrite_id', id, 'route_id', route_id, 'profile_id', profile_id, 'model', model,
                              'tokens', prompt_tokens + completion_tokens, 'cost_usd', cost_usd,
                              'seconds', duration_ms / 1000.0, 'reason', reason, 'remark', nullif(remark, ''))
    FROM rewrites WHERE post_id = $1
    UNION ALL
    SELECT 7, e.edited_at, 'edited', false, 'edited', 'by ' || e.edited_by, NULL,
           jsonb_build_object('edit_id', e.id, 'rewrite_id', e.rewrite_id, 'by', e.edited_by, 'title', e.title, 'text', e.text,
                              'before', coalesce(
                                  (SELECT o.text FROM post_edits o WHERE o.post_id = e.post_id AND o.edited_at < e.edited_at
                                     AND o.rewrite_id IS NOT DISTINCT FROM e.rewrite_id ORDER BY o.edited_at DESC LIMIT 1),
                                  (SELECT r.text FROM rewrites r WHERE r.id = e.rewrite_id),
                                  (SELECT p.text FROM posts p WHERE p.id = e.post_id)))
    FROM post_edits e WHERE e.post_id = $1
    UNION ALL
    SELECT 8, o.decided_at, 'routed', false, 'routed',
           concat_ws(', ', o.decision, array_to_string(o.targets, ' '), nullif(o.reason, '')), NULL,
           jsonb_build_object('route_id', o.route_id, 'route', r.name, 'rewrite_id', o.rewrite_id, 'decision', o.decision,
                              'reason', nullif(o.reason, ''), 'targets', o.targets, 'by', o.decided_by)
    FROM routings o LEFT JOIN routes r ON r.id = o.route_id WHERE o.post_id = $1
    UNION ALL
    SELECT 9, d.created_at, 'planned', false, 'scheduled',
           concat_ws(', ', d.target, 'for ' || to_char(d.scheduled_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
                     'by ' || d.created_by), NULL,
           jsonb_build_object('scheduled_id', d.id, 'target', d.target, 'scheduled_time', d.scheduled_time,
                              'by', d.created_by, 'status', d.status, 'rule_id', d.rule_id)
    FROM scheduled_posts d WHERE d.post_id = $1
    UNION ALL
    SELECT 10, updated_at, 'plan_ended', status <> 'failed' AND status <> 'cancelled', 'scheduled post ' || status,
           concat_ws(', ', target, last_error), NULL,
           jsonb_build_object('scheduled_id', id, 'target', target, 'status', status, 'error', last_error)
    FROM scheduled_posts WHERE post_id = $1 AND status <> 'scheduled'
    UNION ALL
    SELECT 11, requested_at, 'publish_requested', true, 'publish requested', concat_ws(', ', 'package ' || id),
           substr(traceparent, 4, 32), jsonb_build_object('package_id', id, 'rewrite_id', rewrite_id)
    FROM publish_packages WHERE post_id = $1
    UNION ALL
    SELECT 12, first_try_at, 'first_try', true, 'first try', destination, NULL,
           jsonb_build_object('destination', destination)
    FROM publications WHERE post_id = $1 AND first_try_at IS NOT NULL
    UNION ALL
    SELECT 13, finished_at, CASE status WHEN 'succeeded' THEN 'published' WHEN 'cancelled' THEN 'called_off'
                                        ELSE 'not_published' END,
           false, 'publication ' || status,
           concat_ws(', ', destination, 'message ' || array_to_string(message_ids, ' '), url, last_error), NULL,
           jsonb_build_object('publication_id', id, 'destination', destination, 'status', status, 'url', url,
                              'message_ids', message_ids, 'attempts', attempts, 'error', last_error)
    FROM publications WHERE post_id = $1 AND finished_at IS NOT NULL
    UNION ALL
    SELECT 14, finished_at, 'package_ended', status = 'succeeded', 'package ' || status, concat_ws(', ', id, reason),
           substr(traceparent, 4, 32),
           jsonb_build_object('package_id', id, 'status', status, 'reason', reason, 'skipped', skipped)
    FROM publish_packages WHERE post_id = $1 AND finished_at IS NOT NULL
    UNION ALL
    SELECT 15, fetched_at, 'medium', hash IS NOT NULL,
           CASE WHEN hash IS NULL THEN 'medium left out' ELSE 'medium fetched' END,
           concat_ws(', ', 'number ' || position, left(hash, 12), problem), NULL,
           jsonb_build_object('position', position, 'hash', hash, 'problem', problem)
    FROM media_fetches WHERE post_id = $1
    UNION ALL
    SELECT 16, created_at, CASE status WHEN 'generated' THEN 'illustrated' ELSE 'not_illustrated' END, false,
           'image ' || status,
           concat_ws(', ', CASE WHEN rewrite_id IS NULL THEN 'for the post' ELSE 'for rewrite ' || rewrite_id END,
                     left(hash, 12), model, attempts || ' tries', cost_usd || ' USD', duration_ms || ' ms', reason), NULL,
           jsonb_build_object('rewrite_id', rewrite_id, 'hash', hash, 'model', model, 'attempts', attempts,
                              'cost_usd', cost_usd, 'seconds', duration_ms / 1000.0, 'reason', reason, 'prompt', prompt)
    FROM illustrations WHERE post_id = $1
    UNION ALL
    SELECT 17, created_at, 'broadcast_requested', false, 'broadcast requested',
           concat_ws(', ', id, coalesce(nullif(cardinality(coalesce(chats, target_chat_ids)), 0)::text, 'usual') || ' chats',
                     CASE WHEN forward THEN 'forwarded' END,
                     CASE WHEN not_before > created_at THEN 'due ' || to_char(not_before AT TIME ZONE 'UTC',
                                                                              'YYYY-MM-DD HH24:MI:SS') END),
           substr(traceparent, 4, 32),
           jsonb_build_object('broadcast_id', id, 'chats', nullif(cardinality(coalesce(chats, target_chat_ids)), 0),
                              'forward', forward, 'due_at', CASE WHEN not_before > created_at THEN not_before END)
    FROM userbot_tasks WHERE post_id = $1
    UNION ALL
    SELECT 18, started_at, 'broadcast_started', true, 'broadcast started', concat_ws(', ', id, account),
           substr(traceparent, 4, 32), jsonb_build_object('broadcast_id', id, 'account', account)
    FROM userbot_tasks WHERE post_id = $1 AND started_at IS NOT NULL
    UNION ALL
    -- A broadcast may have thousands of chats.
    (SELECT 19, coalesce(a.finished_at, a.started_at) AS at, 'chat', a.outcome IN ('sent', 'retry', 'skipped'),
            'chat ' || a.outcome,
            concat_ws(', ', a.chat, 'try ' || a.attempt, 'message ' || nullif(array_to_string(a.message_ids, ' '), ''), a.error),
            substr(t.traceparent, 4, 32),
            jsonb_build_object('broadcast_id', t.id, 'chat', a.chat, 'title', c.title, 'outcome', a.outcome,
                               'attempt', a.attempt, 'account', a.account, 'message_ids', a.message_ids, 'error', a.error,
                               'url', CASE WHEN cardinality(a.message_ids) = 0 THEN NULL
                                           WHEN a.chat LIKE '@%' THEN 'https://t.me/' || substr(a.chat, 2) || '/' || a.message_ids[1]
                                           WHEN a.chat LIKE '-100%' THEN 'https://t.me/c/' || substr(a.chat, 5) || '/' || a.message_ids[1]
                                      END)
     FROM userbot_tasks t JOIN broadcast_attempts a ON a.task_id = t.id LEFT JOIN chats c ON c.address = a.chat
     WHERE t.post_id = $1 ORDER BY at DESC LIMIT 500)
    UNION ALL
    SELECT 20, finished_at, 'broadcast_ended', false, 'broadcast ' || status,
           concat_ws(', ', id, sent_count || ' sent', error_count || ' errors', skipped_count || ' skipped', last_error),
           substr(traceparent, 4, 32),
           jsonb_build_object('broadcast_id', id, 'status', status, 'sent', sent_count, 'errors', error_count,
                              'skipped', skipped_count, 'error', last_error)
    FROM userbot_tasks WHERE post_id = $1 AND finished_at IS NOT NULL
    UNION ALL
    SELECT 21, died_at, 'dead_letter', false, 'dead letter ' || number,
           concat_ws(', ', 'consumer ' || consumer, attempts || ' attempts', error), NULL,
           jsonb_build_object('number', number, 'consumer', consumer, 'event_id', event_id, 'queue', queue,
                              'attempts', attempts, 'error_class', error_class, 'error', error)
    FROM dead_letters WHERE post_id = $1
    UNION ALL
    SELECT 22, first_at, 'notification', true, 'notification', concat_ws(', ', severity, title), NULL,
           jsonb_build_object('notification_id', id, 'kind', kind, 'severity', severity, 'title', title, 'count', count)
    FROM notifications WHERE post_id = $1
    UNION ALL
    -- The post itself and its plans by their paths, what else is about it by what was recorded before the act. A decision
    -- that still holds has the very time of its act: both are of one transaction.
    SELECT 23, l.at, 'act', false, l.action, concat_ws(', ', 'by ' || l.actor, l.object), NULL,
           jsonb_build_object('action', l.action, 'by', l.actor, 'object', l.object)
    FROM audit_log l
    WHERE l.action <> 'edit_post'
      AND (l.object = ANY (ARRAY(
               SELECT '/api/v1/posts/' || $1 || verb FROM unnest($2::text[]) AS v (verb)
               UNION ALL
               SELECT '/api/v1/scheduled-posts/' || d.id || verb FROM scheduled_posts d, unnest($2::text[]) AS v (verb)
               WHERE d.post_id = $1
               UNION ALL
               SELECT '/api/v1/jobs/' || j.consumer || '/' || j.event_id || verb FROM jobs j, unnest($2::text[]) AS v (verb)
               WHERE j.post_id = $1))
           OR l.at >= (SELECT collected_at FROM posts WHERE id = $1) AND l.object LIKE '/api/v1/dead-letters/%'
              AND l.before->>'post_id' = $1::text)
      AND NOT EXISTS (SELECT FROM routings o WHERE o.post_id = $1 AND o.decided_at = l.at)
) AS history ORDER BY at, n

-- name: messages
-- The messages of a post's jobs, the newest first; one that is not kept any more has no payload.
SELECT j.event_id AS id, min(j.subject) AS subject, array_agg(j.consumer ORDER BY j.consumer) AS consumers,
       min(j.created_at) AS at, (array_agg(m.payload) FILTER (WHERE m.payload IS NOT NULL))[1] AS payload,
       max(m.headers) AS headers, max(m.sequence) AS sequence
FROM jobs j LEFT JOIN job_messages m USING (consumer, event_id)
WHERE j.post_id = $1 GROUP BY j.event_id ORDER BY at DESC, id LIMIT 200

-- name: unpublished
-- Events about a post that are committed, and not in their streams yet. There are few, of all posts.
SELECT id, subject, created_at AS at, headers, payload FROM outbox
WHERE headers::jsonb->>'ce-subject' = $1::text ORDER BY created_at LIMIT 200
