-- name: add
-- Adds a rule, unless there is one of this name.
INSERT INTO auto_posting_rules (id, name, schedule_type, schedule_config, content_config, platforms, is_active,
                                next_execution_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING RETURNING id

-- name: change
-- Replaces the values of a rule.
UPDATE auto_posting_rules
SET name = $2, schedule_type = $3, schedule_config = $4, content_config = $5, platforms = $6, is_active = $7,
    next_execution_at = $8, version = version + 1, updated_at = now()
WHERE id = $1

-- name: remove
-- Removes a rule with its executions; what it made stays.
DELETE FROM auto_posting_rules WHERE id = $1 RETURNING id

-- name: lock
-- One rule, which nobody else runs or changes until the transaction ends.
SELECT id, name, schedule_type, schedule_config, content_config, platforms, is_active, next_execution_at,
       coalesce($2::timestamptz, clock_timestamp()) AS now
FROM auto_posting_rules WHERE id = $1 FOR UPDATE

-- name: due
-- Takes a rule that is due and that nobody else runs or changes.
SELECT id, name, schedule_type, schedule_config, content_config, platforms, is_active, next_execution_at,
       coalesce($1::timestamptz, clock_timestamp()) AS now
FROM auto_posting_rules
WHERE is_active AND next_execution_at <= coalesce($1::timestamptz, clock_timestamp()) AND id <> ALL($2::uuid[])
ORDER BY next_execution_at, id LIMIT 1 FOR UPDATE SKIP LOCKED

-- name: next
-- The seconds until the next rule is due, negative where one is; NULL where none will be.
SELECT extract(epoch FROM min(next_execution_at) - coalesce($1::timestamptz, clock_timestamp()))::float8 AS seconds
FROM auto_posting_rules WHERE is_active

-- name: ahead
-- Takes rules that have run for times which are still to come: the clock was ahead, and so may be their next times.
SELECT id, name, schedule_type, schedule_config, content_config, platforms, is_active, next_execution_at,
       coalesce($1::timestamptz, clock_timestamp()) AS now
FROM auto_posting_rules r
WHERE is_active AND next_execution_at IS NOT NULL
  AND EXISTS (SELECT FROM rule_executions x WHERE x.rule_id = r.id
              AND x.slot > coalesce($1::timestamptz, statement_timestamp()) + interval '1 minute')
FOR UPDATE SKIP LOCKED

-- name: move_on
-- Sets the next time of a rule.
UPDATE auto_posting_rules SET next_execution_at = $2 WHERE id = $1

-- name: begin
-- Takes a slot of a rule for good; no row where it was taken before.
INSERT INTO rule_executions (rule_id, slot, asked_by, status, executed_at) VALUES ($1, $2, $3, 'succeeded', $4)
ON CONFLICT DO NOTHING RETURNING slot

-- name: succeeded
-- Says which content a run brought.
UPDATE rule_executions SET content_id = $3 WHERE rule_id = $1 AND slot = $2

-- name: failed
-- Says why a run brought nothing.
INSERT INTO rule_executions (rule_id, slot, asked_by, status, executed_at, error) VALUES ($1, $2, $3, 'failed', $4, $5)
ON CONFLICT (rule_id, slot) DO UPDATE SET status = 'failed', error = excluded.error

-- name: plan
-- Schedules what a run brings.
INSERT INTO scheduled_posts (post_id, content_id, rule_id, platform, target, scheduled_time, due_at, slot_key, created_by,
                             traceparent)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9)

-- name: get
-- One rule with its statistics.
SELECT r.*, x.*, p.*
FROM auto_posting_rules r
CROSS JOIN LATERAL (
    SELECT count(*) AS executions, count(*) FILTER (WHERE status = 'succeeded') AS succeeded,
           count(*) FILTER (WHERE status = 'failed') AS failed, max(executed_at) AS last_executed_at,
           (SELECT l.error FROM rule_executions l WHERE l.rule_id = r.id ORDER BY l.executed_at DESC LIMIT 1) AS last_error
    FROM rule_executions WHERE rule_id = r.id) AS x
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE status IN ('scheduled', 'publishing')) AS posts_open,
           count(*) FILTER (WHERE status = 'published') AS posts_published,
           count(*) FILTER (WHERE status = 'failed') AS posts_failed,
           count(*) FILTER (WHERE status = 'cancelled') AS posts_cancelled
    FROM scheduled_posts WHERE rule_id = r.id) AS p
WHERE r.id = $1

-- name: list
-- A page of rules with their statistics, which are counted for the rules of the page only.
SELECT r.*, x.*, p.*, r.created_at AS page_at, r.id AS page_key
FROM (SELECT * FROM auto_posting_rules
      WHERE created_at <= $2 AND (created_at, id) < ($2, $3) AND ($4::boolean IS NULL OR is_active = $4)
      ORDER BY created_at DESC, id DESC LIMIT $1) AS r
CROSS JOIN LATERAL (
    SELECT count(*) AS executions, count(*) FILTER (WHERE status = 'succeeded') AS succeeded,
           count(*) FILTER (WHERE status = 'failed') AS failed, max(executed_at) AS last_executed_at,
           (SELECT l.error FROM rule_executions l WHERE l.rule_id = r.id ORDER BY l.executed_at DESC LIMIT 1) AS last_error
    FROM rule_executions WHERE rule_id = r.id) AS x
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE status IN ('scheduled', 'publishing')) AS posts_open,
           count(*) FILTER (WHERE status = 'published') AS posts_published,
           count(*) FILTER (WHERE status = 'failed') AS posts_failed,
           count(*) FILTER (WHERE status = 'cancelled') AS posts_cancelled
    FROM scheduled_posts WHERE rule_id = r.id) AS p
ORDER BY page_at DESC, page_key DESC

-- name: executions
-- A page of the runs of a rule, or the run for one of its times ($5), with what each made.
SELECT x.slot, x.asked_by, x.status, x.content_id, x.error, x.executed_at, x.executed_at AS page_at,
       x.slot::text AS page_key, c.post_id, coalesce(nullif(w.title, ''), c.title, '') AS title, s.status AS content_status,
       s.reason AS content_reason,
       array(SELECT jsonb_build_object('id', p.id, 'target', p.target, 'scheduled_time', p.scheduled_time,
                                       'status', p.status, 'url', p.url, 'last_error', p.last_error)
             FROM scheduled_posts p WHERE p.content_id = x.content_id AND p.rule_id = x.rule_id
             ORDER BY p.created_at, p.target) AS posts
FROM (SELECT * FROM rule_executions
      WHERE executed_at <= $2 AND (executed_at, slot::text) < ($2, $3) AND rule_id = $4
        AND ($5::timestamptz IS NULL OR slot = $5)
      ORDER BY executed_at DESC, slot::text DESC LIMIT $1) AS x
LEFT JOIN contents c ON c.id = x.content_id
LEFT JOIN content_states s ON s.content_id = x.content_id
LEFT JOIN LATERAL (
    SELECT r.title FROM rewrites r WHERE r.post_id = c.post_id AND r.status = 'succeeded'
    ORDER BY r.created_at DESC LIMIT 1) AS w ON true
ORDER BY page_at DESC, page_key DESC
