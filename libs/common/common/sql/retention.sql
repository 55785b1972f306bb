-- name: prune_jobs
-- Forgets jobs that succeeded, and called-off ones that are about no post. Any other one says where its post stands. Those
-- of a message of which there is a dead letter are kept: its replay comes to all consumers, and would be worked on again.
DELETE FROM jobs WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM jobs j
    WHERE finished_at < $1 AND (status = 'succeeded' OR status = 'cancelled' AND post_id IS NULL)
      AND NOT EXISTS (SELECT FROM dead_letters l WHERE l.event_id = j.event_id) LIMIT $2))
  AND finished_at < $1
RETURNING row_to_json(jobs)::text

-- name: prune_attempts
-- Forgets the runs of jobs that did not simply succeed.
DELETE FROM job_attempts WHERE ctid = ANY (ARRAY(SELECT ctid FROM job_attempts WHERE ended_at < $1 LIMIT $2))
RETURNING row_to_json(job_attempts)::text

-- name: prune_payloads
-- Forgets the messages of jobs that have ended; those of dead letters are in their stream. What one says may be no text.
DELETE FROM job_messages WHERE ctid = ANY (ARRAY(
    SELECT m.ctid FROM job_messages m
    WHERE m.kept_at < $1 AND NOT EXISTS (SELECT FROM jobs j WHERE (j.consumer, j.event_id) = (m.consumer, m.event_id)
                                                              AND j.status IN ('queued', 'in_progress')) LIMIT $2))
RETURNING json_build_object('consumer', consumer, 'event_id', event_id, 'sequence', sequence, 'kept_at', kept_at,
                            'headers', headers::json,
                            'payload_base64', translate(encode(payload, 'base64'), E'\n', ''))::text

-- name: prune_notifications
-- Forgets what people were told, once nothing more is folded into it; and the folds that are as old.
WITH folds AS (DELETE FROM notification_folds WHERE last_at < $1)
DELETE FROM notifications WHERE ctid = ANY (ARRAY(SELECT ctid FROM notifications WHERE last_at < $1 LIMIT $2))
  AND last_at < $1
RETURNING row_to_json(notifications)::text

-- name: prune_alerts
-- Forgets alerts that are over.
DELETE FROM alerts WHERE ctid = ANY (ARRAY(SELECT ctid FROM alerts WHERE resolved_at < $1 LIMIT $2)) AND resolved_at < $1
RETURNING row_to_json(alerts)::text

-- name: prune_model_calls
-- Forgets calls to models.
DELETE FROM model_calls WHERE ctid = ANY (ARRAY(SELECT ctid FROM model_calls WHERE at < $1 LIMIT $2))
RETURNING row_to_json(model_calls)::text

-- name: prune_operations
-- Forgets bulk operations that have ended.
DELETE FROM bulk_operations WHERE ctid = ANY (ARRAY(SELECT ctid FROM bulk_operations WHERE finished_at < $1 LIMIT $2))
RETURNING row_to_json(bulk_operations)::text

-- name: prune_verifications
-- Forgets verifications.
DELETE FROM verifications WHERE ctid = ANY (ARRAY(SELECT ctid FROM verifications WHERE at < $1 LIMIT $2))
RETURNING row_to_json(verifications)::text

-- name: prune_canaries
-- Forgets how canaries went; their posts stay.
DELETE FROM canary_runs WHERE ctid = ANY (ARRAY(SELECT ctid FROM canary_runs WHERE ended_at < $1 LIMIT $2))
RETURNING row_to_json(canary_runs)::text

-- name: prune_trials
-- Forgets trials of profiles, with their runs.
DELETE FROM profile_trials WHERE ctid = ANY (ARRAY(SELECT ctid FROM profile_trials WHERE created_at < $1 LIMIT $2))
RETURNING (to_jsonb(profile_trials)
           || jsonb_build_object('runs', (SELECT jsonb_agg(r ORDER BY r.number) FROM profile_trial_runs r
                                          WHERE r.trial_id = profile_trials.id)))::text

-- name: prune_audit
-- Forgets who did what.
DELETE FROM audit_log WHERE ctid = ANY (ARRAY(SELECT ctid FROM audit_log WHERE at < $1 LIMIT $2))
RETURNING row_to_json(audit_log)::text

-- name: record
-- Records what was forgotten.
INSERT INTO retention_runs (kind, older_than, deleted) VALUES ($1, $2, $3)

-- name: forget_runs
-- Forgets those records after a year.
DELETE FROM retention_runs WHERE at < now() - interval '1 year'

-- name: export_posts
-- Posts, with where they stand.
SELECT (to_jsonb(e) - 'words')::text FROM (SELECT p.*, s.state FROM posts p JOIN post_states s ON s.post_id = p.id
    WHERE p.collected_at >= $1 AND p.collected_at < $2 ORDER BY p.collected_at, p.id) AS e

-- name: export_rewrites
-- Rewrites.
SELECT row_to_json(e)::text FROM (SELECT * FROM rewrites WHERE created_at >= $1 AND created_at < $2 ORDER BY created_at) AS e

-- name: export_publications
-- Publications.
SELECT row_to_json(e)::text
FROM (SELECT * FROM publications WHERE created_at >= $1 AND created_at < $2 ORDER BY created_at, id) AS e

-- name: export_jobs
-- Jobs.
SELECT row_to_json(e)::text
FROM (SELECT * FROM jobs WHERE created_at >= $1 AND created_at < $2 ORDER BY created_at, consumer, event_id) AS e

-- name: export_attempts
-- The runs of jobs that did not simply succeed.
SELECT row_to_json(e)::text FROM (SELECT * FROM job_attempts WHERE ended_at >= $1 AND ended_at < $2 ORDER BY ended_at) AS e

-- name: export_notifications
-- What people were told.
SELECT row_to_json(e)::text FROM (SELECT * FROM notifications WHERE last_at >= $1 AND last_at < $2 ORDER BY last_at, id) AS e

-- name: export_model_calls
-- Calls to models.
SELECT row_to_json(e)::text FROM (SELECT * FROM model_calls WHERE at >= $1 AND at < $2 ORDER BY at) AS e

-- name: export_audit
-- Who did what.
SELECT row_to_json(e)::text FROM (SELECT * FROM audit_log WHERE at >= $1 AND at < $2 ORDER BY at, id) AS e

-- name: export_logs
-- Log records.
SELECT row_to_json(e)::text FROM (SELECT * FROM log_records WHERE at >= $1 AND at < $2 ORDER BY at) AS e
