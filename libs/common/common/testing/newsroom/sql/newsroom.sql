-- What the newsroom consists of, as the services would have left it.

-- name: state
-- How the last run of a source went.
INSERT INTO source_states (source_id, last_run_at, last_success_at, last_error, failures)
VALUES ($1, now() - interval '4 minutes', now() - $2::int * interval '1 minute', $3, $4)

-- name: chat
-- A chat to broadcast to.
INSERT INTO chats (address, title, enabled, min_messages_between, messages_since_post, last_success_post_at, flag,
                   flag_reason, flagged_at)
VALUES ($1, $2, $3, $4, $5, now() - interval '1 day', $6::text, $7,
        CASE WHEN $6 IS NOT NULL THEN now() - interval '3 hours' END)

-- name: rule
-- A rule, by whom nobody asks.
INSERT INTO auto_posting_rules (name, schedule_type, schedule_config, content_config, platforms, is_active,
                                next_execution_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6::boolean, CASE WHEN $6 THEN now() + interval '9 hours' END, 'user:anna') RETURNING id

-- name: budget
-- A budget.
INSERT INTO budgets (name, route_id, period, timezone, limit_usd, at_limit, fallback_model)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id

-- name: spent
-- What was spent of a budget in the period that runs.
INSERT INTO budget_periods (budget_id, began_at, cost_usd, tokens, warned_at)
SELECT id, began_at, $2, 412000, CASE WHEN $3 THEN now() - interval '2 hours' END FROM budget_standing WHERE id = $1

-- name: job
-- A job, open or ended.
INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status, attempts, last_error, error_class, trouble, trace_id,
                  created_at, started_at, finished_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $6::text <> 'succeeded' THEN $6 END, $10, $11, $11,
        CASE WHEN $6 IN ('succeeded', 'failed', 'cancelled') THEN $11::timestamptz + interval '4 seconds' END)
ON CONFLICT DO NOTHING

-- name: attempt
-- A run of a job that did not simply succeed.
INSERT INTO job_attempts (consumer, event_id, attempt, started_at, ended_at, outcome, error_class, error)
VALUES ($1, $2, $3, $6::timestamptz + $3::int * interval '1 minute', $6::timestamptz + $3::int * interval '62 seconds', $7, $4, $5)

-- name: rewrite
-- What the model made of a post.
INSERT INTO rewrites (id, post_id, route_id, profile_id, profile_version, status, reason, title, text, entities, hashtags,
                      language, image_prompt, model, request, answer, prompt_tokens, completion_tokens, cost_usd,
                      duration_ms, created_at)
SELECT $1, $2, r.id, r.profile_id, 1, $4, $5, $6, $7, $8, $9, 'ru', $12, $10, '{}', '{}', 812, 246, 0.0041, 5200, $11
FROM routes r WHERE r.id = $3

-- name: call
-- A call to the model.
INSERT INTO model_calls (id, at, service, kind, model, outcome, route_id, profile_id, post_id, consumer, event_id,
                         prompt_tokens, completion_tokens, cost_usd, seconds)
SELECT gen_random_uuid(), $1, 'rewriter', 'chat', $2, $3, r.id, r.profile_id, $5, 'rewriter', $6, $7, $8, $9, $10
FROM routes r WHERE r.id = $4

-- name: routing
-- What was decided about a post.
INSERT INTO routings (post_id, route_id, rewrite_id, decision, reason, targets, decided_at, decided_by)
SELECT $1, id, $3, $4, $5, targets, $6, $7 FROM routes WHERE id = $2

-- name: package
-- A publish request.
INSERT INTO publish_packages (id, post_id, rewrite_id, status, requested_at, finished_at)
VALUES ($1, $2, $3, $4, $5, $5::timestamptz + interval '3 seconds')

-- name: publication
-- A publication at a target.
INSERT INTO publications (id, package_id, post_id, destination, status, text, entities, message_ids, url, attempts,
                          last_error, created_at, finished_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11, $11::timestamptz + interval '2 seconds')

-- name: scheduled
-- A post that waits for its time.
INSERT INTO scheduled_posts (post_id, rewrite_id, route_id, platform, target, scheduled_time, due_at, status, created_by)
VALUES ($1, $2, $3, split_part($4, ':', 1), $4, $5, $5, $6, 'user:anna') RETURNING id

-- name: aged
-- Lets a post have come in so many minutes ago.
UPDATE posts SET collected_at = now() - $2::float8 * interval '1 minute' WHERE id = $1

-- name: beat
-- A sign of life of a service.
INSERT INTO service_beats (service, replica, address, ready, detail, beat_at, started_at)
VALUES ($1, $2, '10.0.0.' || $3 || ':8080', $4, $5, now(), now() - interval '2 days')

-- name: queue
-- How a replica works on a queue.
INSERT INTO queue_replicas (service, replica, durable, queue, settings, holding, in_flight, rate)
VALUES ($1, $2, $3, $4, '{"concurrency": {"value": 4, "origin": "default"}}', false, $5, $6)

-- name: worker
-- A sign of life of a worker.
INSERT INTO worker_beats (worker, replica, running, next_run) VALUES ($1, $2, true, now() + interval '20 seconds')

-- name: task
-- A broadcast.
INSERT INTO userbot_tasks (post_id, text, target_chat_ids, chats, forward, account, status, attempts, sent_count,
                           error_count, skipped_count, last_error, created_at, started_at, finished_at, paused_at,
                           paused_by, material)
VALUES ($1, $2, $3, $3, false, 'anna', $4::text, 1, $5, $6, $7, $8, now() - $9::int * interval '1 minute',
        now() - $9::int * interval '1 minute', CASE WHEN $4 IN ('done', 'failed') THEN now() - interval '30 minutes' END,
        CASE WHEN $4 = 'processing' THEN now() - interval '2 minutes' END,
        CASE WHEN $4 = 'processing' THEN 'user:anna' END, '{"text": "", "entities": [], "media": []}') RETURNING id

-- name: sent
-- What became of a broadcast in one chat.
INSERT INTO broadcast_attempts (task_id, chat, attempt, account, outcome, error, message_ids, started_at, finished_at)
VALUES ($1, $2, 1, 'anna', $3, $4, $5, now() - interval '40 minutes', now() - interval '39 minutes')

-- name: notification
-- What people are told.
INSERT INTO notifications (fingerprint, kind, severity, title, detail, count, first_at, last_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id

-- name: alert
-- What is wrong, or was.
INSERT INTO alerts (fingerprint, kind, severity, title, detail, count, status, since, last_at, resolved_at, notification_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9::timestamptz, now()), $9, $10)

-- name: log
-- A log record.
INSERT INTO log_records (at, service, level, event, post_id, job_id, trace_id, fields, searched)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: calls
-- Thirty days of calls to a model.
INSERT INTO model_calls (id, at, service, kind, model, outcome, route_id, consumer, event_id, prompt_tokens,
                         completion_tokens, cost_usd, seconds)
SELECT gen_random_uuid(), now() - day * interval '1 day' - hour * interval '53 minutes', 'rewriter', 'chat', $2, 'answered',
       $1, 'rewriter', day || '/' || hour, 600 + 37 * hour, 200 + 11 * day, 0.003 + 0.0007 * ((day * 7 + hour) % 9), 4
FROM generate_series(0, 29) AS day, generate_series(1, 12) AS hour

-- name: illustration
-- What came of a request for an image.
INSERT INTO illustrations (id, post_id, rewrite_id, prompt, model, size, status, hash, reason, attempts, cost_usd,
                           duration_ms, created_at)
SELECT $1, $2, (SELECT id FROM rewrites WHERE post_id = $2), $3, 'newsroom-images', '1024x1024', $4, $5, $6, 1, 0.04, 11400,
       now() - interval '70 minutes'

-- name: execution
-- Six runs of a rule.
INSERT INTO rule_executions (rule_id, slot, status, error, executed_at)
SELECT $1, date_trunc('day', now()) - day * interval '1 day',
       CASE day WHEN 2 THEN 'failed' ELSE 'succeeded' END, CASE day WHEN 2 THEN 'there is no profile "Утро"' END,
       date_trunc('day', now()) - day * interval '1 day' FROM generate_series(1, 6) AS day

-- name: webhook
-- A webhook; it is disabled, so that nobody outside is told anything.
INSERT INTO webhooks (url, description, events, secret, enabled, disabled_reason)
VALUES ('https://hooks.example.com/zarechensk', 'Сайт редакции', '{publish.result}',
        'whsec_bm90IGEgc2VjcmV0IG9mIGFueWJvZHk=', false, 'the last 50 deliveries failed') RETURNING id

-- name: deliveries
-- What a webhook was told: it took one, refused another and is told a third again.
INSERT INTO webhook_deliveries (webhook_id, event, event_id, body, status, attempts, last_status, last_error, created_at)
VALUES ($1, 'publish.result', 'a', '{"type": "publish.result", "data": {"status": "published"}}', 'delivered', 1, 200,
        NULL, now() - interval '3 hours'),
       ($1, 'publish.result', 'b', '{"type": "publish.result", "data": {"status": "published"}}', 'failed', 9, 500,
        'HTTP 500: Internal Server Error', now() - interval '2 days'),
       ($1, 'publish.result', 'c', '{"type": "publish.result", "data": {"status": "published"}}', 'pending', 2, 503,
        'HTTP 503: Service Unavailable', now() - interval '4 minutes')

-- name: audit
-- A line of the audit log.
INSERT INTO audit_log (at, actor, action, object, before, after) VALUES ($1, $2, $3, $4, $5, $6)

-- name: operation
-- Something that was done to many.
INSERT INTO bulk_operations (kind, filter, reason, status, total, done, refused, refusals, created_by, created_at, started_at,
                             finished_at)
VALUES ($1, $2, 'после аварии', $3, $4, $5, $4::bigint - $5::bigint, $6, 'user:pavel', now() - interval '50 minutes',
        now() - interval '50 minutes', now() - interval '49 minutes') RETURNING id

-- name: trial
-- A profile was tried on past posts.
INSERT INTO profile_trials (id, profile_id, draft, created_by, created_at)
SELECT $1, id, jsonb_build_object('name', name, 'style', 'Весело и коротко', 'language', language, 'max_length', 700,
                                  'keep', keep, 'instructions', instructions, 'model', model),
       'user:anna', now() - interval '20 minutes'
FROM profiles WHERE id = $2

-- name: trial_run
-- One post of a trial, with a version or the draft.
INSERT INTO profile_trial_runs (trial_id, number, post_id, version, event_id, status, title, text, entities, language, model,
                                calls, prompt_tokens, completion_tokens, cost_usd, duration_ms, ended_at)
SELECT $1, $2, $3, $4, gen_random_uuid()::text, 'succeeded', title, text, entities, 'ru', model, 1, 640, 180, 0.0031, 4100,
       now() - interval '19 minutes'
FROM rewrites WHERE post_id = $3

-- name: check
-- A look at an address, and what was found there.
INSERT INTO source_checks (id, kind, address, asked_at, answered_at, finding)
VALUES ($1, 'feed', $2, now() - interval '3 minutes', now() - interval '3 minutes', $3)

-- name: run
-- A day of runs of a source: one in five failed.
INSERT INTO source_runs (source_id, at, brought, duplicates, error)
SELECT $1, now() - n * interval '97 minutes', n % 4, n % 2, CASE WHEN n % 5 = 3 THEN 'Timeout: no answer within 20 s' END
FROM generate_series(1, 12) AS n

-- name: user
-- Somebody of the newsroom, who can't sign in: no password has this hash.
INSERT INTO users (login, name, role, language, time_zone, password, created_by, created_at, disabled_at, seen_at)
VALUES ($1, $2, $3, 'ru', 'Europe/Moscow', '-', 'user:pavel', now() - interval '40 days',
        CASE WHEN $4::boolean THEN now() - interval '3 days' END, now() - interval '3 hours')
