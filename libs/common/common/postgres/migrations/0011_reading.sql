-- What the lists of the API read in order, ties included: an import brings any number of posts at one time.
CREATE INDEX posts_listed ON posts (collected_at, id);
DROP INDEX posts_collected;
CREATE INDEX posts_of_source ON posts (source_id, collected_at, id);
DROP INDEX posts_source;
CREATE INDEX images_listed ON images (created_at, hash);
DROP INDEX images_created;
CREATE INDEX userbot_tasks_listed ON userbot_tasks (created_at, id);
DROP INDEX userbot_tasks_created;
CREATE INDEX notifications_listed ON notifications (last_at, id);
DROP INDEX notifications_recent;
CREATE INDEX audit_log_listed ON audit_log (at, id);
DROP INDEX audit_log_at;
CREATE INDEX webhook_deliveries_listed ON webhook_deliveries (webhook_id, created_at, id);
DROP INDEX webhook_deliveries_recent;
-- What is due of each webhook, and what is being sent to it.
CREATE INDEX webhook_deliveries_of_webhook ON webhook_deliveries (webhook_id, due_at) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_sending ON webhook_deliveries (webhook_id) WHERE status = 'pending' AND lease_until IS NOT NULL;
DROP INDEX webhook_deliveries_due;

-- As before; but a job that only tells people or programs of a post does not decide about the post's state: what was
-- published is published, also where a webhook's job is a dead letter.
CREATE OR REPLACE VIEW post_facts AS
SELECT p.id AS post_id,
       p.source_id,
       p.duplicate_of IS NOT NULL AS duplicate,
       coalesce(pub.succeeded, 0) AS publications_succeeded,
       coalesce(pub.open, 0)      AS publications_open,
       coalesce(pub.failed, 0)    AS publications_failed,
       coalesce(pub.cancelled, 0) AS publications_cancelled,
       coalesce(pub.unknown, 0)   AS publications_unknown,
       coalesce(job.open, 0)      AS jobs_open,
       coalesce(job.failed, 0)    AS jobs_failed,
       coalesce(job.cancelled, 0) AS jobs_cancelled,
       coalesce(rew.refused, 0)   AS rewrites_refused,
       coalesce(rou.held, 0)      AS routings_held,
       coalesce(rou.waiting, 0)   AS routings_waiting,
       coalesce(rou.rejected, 0)  AS routings_rejected,
       coalesce(sch.open, 0)      AS scheduled_open,
       coalesce(sch.failed, 0)    AS scheduled_failed,
       coalesce(sch.cancelled, 0) AS scheduled_cancelled,
       coalesce(con.drafts, 0)    AS drafts,
       coalesce(con.deleted, 0)   AS drafts_deleted
FROM posts p
LEFT JOIN (
    SELECT post_id, count(*) FILTER (WHERE status = 'succeeded') AS succeeded,
           count(*) FILTER (WHERE status IN ('queued', 'in_progress')) AS open,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
           count(*) FILTER (WHERE status = 'unknown') AS unknown
    FROM publications GROUP BY post_id
) pub ON pub.post_id = p.id
LEFT JOIN (
    SELECT post_id, count(*) FILTER (WHERE status IN ('queued', 'in_progress')) AS open,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'cancelled') AS cancelled
    FROM jobs WHERE post_id IS NOT NULL AND queue NOT IN ('notify_queue', 'webhook_queue', 'summary_queue')
    GROUP BY post_id
) job ON job.post_id = p.id
LEFT JOIN (SELECT post_id, count(*) AS refused FROM rewrites WHERE status = 'refused' GROUP BY post_id) rew
       ON rew.post_id = p.id
LEFT JOIN (SELECT post_id, count(*) FILTER (WHERE decision = 'hold') AS held,
                  count(*) FILTER (WHERE decision = 'illustrate') AS waiting,
                  count(*) FILTER (WHERE decision = 'reject') AS rejected
           FROM routings WHERE decision <> 'publish' GROUP BY post_id) rou
       ON rou.post_id = p.id
LEFT JOIN (SELECT post_id, count(*) FILTER (WHERE status IN ('scheduled', 'publishing')) AS open,
                  count(*) FILTER (WHERE status = 'failed') AS failed,
                  count(*) FILTER (WHERE status = 'cancelled') AS cancelled
           FROM scheduled_posts GROUP BY post_id) sch
       ON sch.post_id = p.id
LEFT JOIN (SELECT post_id, count(*) FILTER (WHERE deleted_at IS NULL) AS drafts,
                  count(*) FILTER (WHERE deleted_at IS NOT NULL) AS deleted
           FROM contents GROUP BY post_id) con
       ON con.post_id = p.id;
