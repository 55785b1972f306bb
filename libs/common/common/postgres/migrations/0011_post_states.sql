-- Where each post stands, as before, with what planning, images and people add. A job that only tells people or programs of
-- a post does not decide about its state: what was published is published, also where a webhook's job is a dead letter.

DROP VIEW post_states;
DROP VIEW post_facts;

CREATE VIEW post_facts AS
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
COMMENT ON VIEW post_facts IS 'owner: common. What each stage knows of a post, side by side.';

CREATE VIEW post_states AS
SELECT facts.*,
       CASE WHEN duplicate THEN 'duplicate'
            WHEN publications_open > 0 THEN 'pending'
            WHEN publications_unknown > 0 THEN 'awaiting'
            WHEN jobs_failed > 0 OR publications_failed > 0 AND scheduled_open = 0 THEN 'dead'
            WHEN jobs_open > 0 OR routings_waiting > 0 THEN 'pending'
            WHEN scheduled_open > 0 THEN 'scheduled'
            WHEN scheduled_failed > 0 THEN 'dead'
            WHEN publications_succeeded > 0 THEN 'published'
            WHEN publications_cancelled > 0 THEN 'cancelled'
            WHEN routings_held > 0 THEN 'awaiting'
            WHEN rewrites_refused > 0 OR routings_rejected > 0 THEN 'rejected'
            WHEN drafts > 0 THEN 'awaiting'
            WHEN jobs_cancelled > 0 OR scheduled_cancelled > 0 OR drafts_deleted > 0 THEN 'cancelled'
            ELSE 'pending' END AS state
FROM post_facts AS facts;
COMMENT ON VIEW post_states IS 'owner: common. One state per post, with the facts that it follows from.';
