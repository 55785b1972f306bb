-- The inbox: what waits for a person is found without looking at anything else, is rewritten again by a person's remark,
-- and a decision about it can be taken back.

ALTER TABLE routings DROP CONSTRAINT routings_decision_check;
ALTER TABLE routings ADD CONSTRAINT routings_decision_check
    CHECK (decision IN ('publish', 'hold', 'illustrate', 'reject', 'schedule', 'rewrite'));
COMMENT ON TABLE routings IS 'owner: scheduler; people decide through decide_routing(), and take back through '
    'hold_routing(). What was decided for a post of a route: publish now, plan for a slot, hold for a person, wait for its '
    'image or for another rewrite, or reject.';
CREATE INDEX routings_held ON routings (decided_at, post_id) WHERE decision IN ('hold', 'rewrite');
CREATE INDEX routings_rejected ON routings (decided_at, post_id) WHERE decision = 'reject';

-- Holds again what was decided otherwise, if it still is what it was. Returns whether it was.
CREATE FUNCTION hold_routing(post uuid, route uuid, was text, person text, because text) RETURNS boolean
LANGUAGE sql AS $$
    WITH held AS (
        UPDATE routings AS r
        SET decision = 'hold', decided_by = person, decided_at = now(), reason = because
        WHERE r.post_id = post AND r.route_id = route AND r.decision = was
        RETURNING 1)
    SELECT EXISTS (SELECT FROM held)
$$;
COMMENT ON FUNCTION hold_routing IS 'owner: scheduler. Takes back what was decided of a post for a route.';

ALTER TABLE rewrites ADD COLUMN remark text NOT NULL DEFAULT '';  -- of the person who asked for another one

-- As before; what is rewritten again waits as well, and what is held needs a person, also where an earlier request was
-- called off.
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
                  count(*) FILTER (WHERE decision IN ('illustrate', 'rewrite')) AS waiting,
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

CREATE OR REPLACE VIEW post_states AS
SELECT facts.*,
       CASE WHEN duplicate THEN 'duplicate'
            WHEN publications_open > 0 THEN 'pending'
            WHEN publications_unknown > 0 THEN 'awaiting'
            WHEN jobs_failed > 0 OR publications_failed > 0 AND scheduled_open = 0 THEN 'dead'
            WHEN jobs_open > 0 OR routings_waiting > 0 THEN 'pending'
            WHEN scheduled_open > 0 THEN 'scheduled'
            WHEN scheduled_failed > 0 THEN 'dead'
            WHEN publications_succeeded > 0 THEN 'published'
            WHEN routings_held > 0 THEN 'awaiting'
            WHEN publications_cancelled > 0 THEN 'cancelled'
            WHEN rewrites_refused > 0 OR routings_rejected > 0 THEN 'rejected'
            WHEN drafts > 0 THEN 'awaiting'
            WHEN jobs_cancelled > 0 OR scheduled_cancelled > 0 OR drafts_deleted > 0 THEN 'cancelled'
            ELSE 'pending' END AS state
FROM post_facts AS facts;
