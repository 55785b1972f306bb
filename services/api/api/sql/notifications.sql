-- name: add_notification
-- Keeps notifications, or counts them in the row of their fingerprint that is still open; the latest is what is shown.
-- A single statement folds the equal ones of a group, and groups that commit at the same time wait for each other on the
-- row in notification_folds, which ON CONFLICT then sees as the other one left it. In order, so as not to deadlock.
-- What channels tell becomes due once nothing more came for a while; what was told already, at growing distances.
WITH given AS (
    SELECT fingerprint, count(*)::integer AS count, max(fold_seconds) AS fold_seconds,
           (array_agg(kind ORDER BY position DESC))[1] AS kind,
           (array_agg(severity ORDER BY position DESC))[1] AS severity,
           (array_agg(title ORDER BY position DESC))[1] AS title,
           (array_agg(detail ORDER BY position DESC))[1] AS detail,
           (array_agg(post_id ORDER BY position DESC))[1] AS post_id,
           (array_agg(channels ORDER BY position DESC))[1] AS channels,
           max(gather) AS gather, max(update_after) AS update_after
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::float8[], $8::bigint[],
                $9::text[], $10::float8[], $11::float8[])
         AS asked (fingerprint, kind, severity, title, detail, post_id, fold_seconds, position, channels, gather,
                   update_after)
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
), counted AS (
    INSERT INTO notifications AS kept (id, fingerprint, kind, severity, title, detail, post_id, count)
    SELECT open.notification_id, given.fingerprint, kind, severity, title, detail, post_id, count
    FROM given JOIN open ON open.fingerprint = given.fingerprint
    ON CONFLICT (id) DO UPDATE
    SET severity = excluded.severity, title = excluded.title, detail = excluded.detail, post_id = excluded.post_id,
        count = kept.count + excluded.count, last_at = greatest(kept.last_at, now()), read_at = NULL, read_by = NULL
    RETURNING id, fingerprint, count
)
INSERT INTO notification_deliveries AS d (notification_id, channel, count, due_at, latest_at)
SELECT counted.id, channel, counted.count, clock_timestamp() + gather * interval '1 second',
       clock_timestamp() + 6 * gather * interval '1 second'
FROM counted JOIN given ON given.fingerprint = counted.fingerprint
CROSS JOIN LATERAL unnest(string_to_array(nullif(channels, ''), ',')) AS channel
ORDER BY counted.id, channel
ON CONFLICT (notification_id, channel) DO UPDATE
SET count = greatest(d.count, excluded.count), status = 'pending',
    attempts = CASE WHEN d.status = 'pending' THEN d.attempts ELSE 0 END,
    due_at = CASE
        WHEN d.status = 'pending' AND d.attempts = 0 AND d.tellings = 0 THEN least(excluded.due_at, d.latest_at)
        WHEN d.status = 'pending' THEN d.due_at  -- it is repeated, or an update is planned
        WHEN d.tellings = 0 THEN excluded.due_at
        ELSE greatest(excluded.due_at, d.told_at + interval '1 second' * least(86400,
            (SELECT max(update_after) FROM given) * power(6, d.tellings - 1))) END

-- name: take
-- Takes what is due on a channel; where one message tells of all there is to tell ($5), what is not due yet as well.
-- A row that is being told is leased: one whose teller died is taken over then.
WITH next AS MATERIALIZED (
    SELECT notification_id FROM notification_deliveries
    WHERE channel = $1 AND status = 'pending' AND (lease_until IS NULL OR lease_until < now())
      AND (due_at <= now()
           OR ($5 AND tellings = 0 AND attempts = 0
               AND EXISTS (SELECT FROM notification_deliveries WHERE channel = $1 AND status = 'pending'
                           AND due_at <= now() AND (lease_until IS NULL OR lease_until < now()))))
    ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED
)
UPDATE notification_deliveries AS d
SET holder = $2, lease_until = now() + $3 * interval '1 second', attempts = d.attempts + 1
FROM next JOIN notifications n ON n.id = next.notification_id
WHERE d.notification_id = next.notification_id AND d.channel = $1
RETURNING n.id, n.kind, n.severity, n.title, n.detail, n.fingerprint, n.post_id, d.count, n.first_at, n.last_at, d.tellings,
          d.attempts

-- name: told
-- Notes what was told. Where more was counted meanwhile there is an update to come, not before $4 seconds.
-- Locked in the order of add_notification, so as not to deadlock.
WITH mine AS MATERIALIZED (
    SELECT FROM notification_deliveries WHERE channel = $1 AND notification_id = ANY($5::uuid[])
    ORDER BY notification_id FOR UPDATE
)
UPDATE notification_deliveries AS d
SET status = CASE WHEN d.count > done.count THEN 'pending' ELSE 'told' END,
    count_told = done.count, tellings = d.tellings + 1, attempts = 0, told_at = now(), last_error = NULL,
    due_at = now() + interval '1 second' * least(86400, $4 * power(6, d.tellings)), holder = NULL, lease_until = NULL
FROM unnest($5::uuid[], $3::integer[]) AS done (id, count)
WHERE d.notification_id = done.id AND d.channel = $1 AND d.holder = $2 AND d.status = 'pending'
  AND (SELECT count(*) FROM mine) > 0

-- name: not_told
-- Notes why something could not be told, and when it is tried again; no more after as many attempts as there are waits.
WITH mine AS MATERIALIZED (
    SELECT FROM notification_deliveries WHERE channel = $1 AND notification_id = ANY($5::uuid[])
    ORDER BY notification_id FOR UPDATE
)
UPDATE notification_deliveries AS d
SET status = CASE WHEN d.attempts > cardinality($4::float8[]) THEN 'failed' ELSE 'pending' END,
    due_at = now() + interval '1 second' * coalesce(($4::float8[])[least(d.attempts, cardinality($4::float8[]))], 0),
    last_error = $3, holder = NULL, lease_until = NULL
FROM unnest($5::uuid[]) AS tried (id)
WHERE d.notification_id = tried.id AND d.channel = $1 AND d.holder = $2 AND d.status = 'pending'
  AND (SELECT count(*) FROM mine) > 0
RETURNING d.status

-- name: mark
-- Notes who has read a notification first, or that nobody has ($2 NULL).
UPDATE notifications SET read_by = CASE WHEN $2::text IS NOT NULL THEN coalesce(read_by, $2) END,
                         read_at = CASE WHEN $2::text IS NOT NULL THEN coalesce(read_at, now()) END
WHERE id = $1
