-- name: add_notification
-- Keeps notifications, or counts them in the row of their fingerprint that is still open; the latest is what is shown.
-- A single statement folds the equal ones of a group, and groups that commit at the same time wait for each other on the
-- row in notification_folds, which ON CONFLICT then sees as the other one left it. In order, so as not to deadlock.
WITH given AS (
    SELECT fingerprint, count(*)::integer AS count, max(fold_seconds) AS fold_seconds,
           (array_agg(kind ORDER BY position DESC))[1] AS kind,
           (array_agg(severity ORDER BY position DESC))[1] AS severity,
           (array_agg(title ORDER BY position DESC))[1] AS title,
           (array_agg(detail ORDER BY position DESC))[1] AS detail,
           (array_agg(post_id ORDER BY position DESC))[1] AS post_id
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::float8[], $8::bigint[])
         AS asked (fingerprint, kind, severity, title, detail, post_id, fold_seconds, position)
    GROUP BY fingerprint
), open AS (
    INSERT INTO notification_folds AS fold (fingerprint, notification_id, last_at)
    SELECT fingerprint, gen_random_uuid(), clock_timestamp() FROM given ORDER BY fingerprint
    ON CONFLICT (fingerprint) DO UPDATE
    SET last_at = greatest(fold.last_at, excluded.last_at),
        notification_id = CASE
            WHEN fold.last_at >= excluded.last_at
                 - (SELECT fold_seconds FROM given WHERE given.fingerprint = fold.fingerprint) * interval '1 second'
            THEN fold.notification_id ELSE excluded.notification_id END
    RETURNING fold.fingerprint, fold.notification_id
)
INSERT INTO notifications AS kept (id, fingerprint, kind, severity, title, detail, post_id, count)
SELECT open.notification_id, given.fingerprint, kind, severity, title, detail, post_id, count
FROM given JOIN open ON open.fingerprint = given.fingerprint
ON CONFLICT (id) DO UPDATE
SET severity = excluded.severity, title = excluded.title, detail = excluded.detail, post_id = excluded.post_id,
    count = kept.count + excluded.count, last_at = greatest(kept.last_at, now())
