-- Where each post stands: a view over what the stages wrote, each fact from its owner's table.
-- Reconciliation (common/reconciliation.py) checks that every post is in exactly one state; the view itself only ranks.

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
       coalesce(rou.held, 0)      AS routings_held
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
    FROM jobs WHERE post_id IS NOT NULL GROUP BY post_id
) job ON job.post_id = p.id
LEFT JOIN (SELECT post_id, count(*) AS refused FROM rewrites WHERE status = 'refused' GROUP BY post_id) rew
       ON rew.post_id = p.id
LEFT JOIN (SELECT post_id, count(*) AS held FROM routings WHERE decision = 'hold' GROUP BY post_id) rou
       ON rou.post_id = p.id;
COMMENT ON VIEW post_facts IS 'owner: common. What each stage knows of a post, side by side.';

CREATE VIEW post_states AS
SELECT facts.*,
       CASE WHEN duplicate THEN 'duplicate'
            WHEN publications_open > 0 THEN 'pending'
            WHEN publications_unknown > 0 THEN 'awaiting'
            WHEN jobs_failed > 0 OR publications_failed > 0 THEN 'dead'
            WHEN jobs_open > 0 THEN 'pending'
            WHEN publications_succeeded > 0 THEN 'published'
            WHEN publications_cancelled > 0 THEN 'cancelled'
            WHEN routings_held > 0 THEN 'awaiting'
            WHEN rewrites_refused > 0 THEN 'rejected'
            WHEN jobs_cancelled > 0 THEN 'cancelled'
            ELSE 'pending' END AS state
FROM post_facts AS facts;
COMMENT ON VIEW post_states IS 'owner: common. One state per post, with the facts that it follows from.';
