-- name: failures
-- Queues with as many dead letters in their window as their limit says, or more; how many there are since it began.
SELECT watched.queue, recent.count AS recent, greatest(recent.count, since.count) AS total, recent.first AS since
FROM unnest($1::text[], $2::float8[], $3::integer[]) AS watched (queue, seconds, least)
CROSS JOIN LATERAL (
    SELECT count(*), min(died_at) AS first FROM dead_letters d
    WHERE d.queue = watched.queue AND d.died_at > now() - watched.seconds * interval '1 second') AS recent
CROSS JOIN LATERAL (
    SELECT count(*) FROM dead_letters d
    WHERE d.queue = watched.queue AND d.died_at >= (
        SELECT a.since FROM alerts a WHERE a.fingerprint = 'queue_failures/' || watched.queue AND a.status = 'firing')
) AS since
WHERE recent.count >= watched.least

-- name: errors
-- The most frequent errors of a queue within its window, each with the latest text.
SELECT fingerprint, count(*) AS count, (array_agg(error ORDER BY number DESC))[1] AS error
FROM dead_letters WHERE queue = $1 AND died_at > now() - $2 * interval '1 second'
GROUP BY fingerprint ORDER BY count DESC LIMIT $3

-- name: services_gone
-- Services of which some replica beat and did not take its row away, while none beats now.
SELECT DISTINCT ON (service) service, address, beat_at FROM service_beats AS b
WHERE NOT EXISTS (SELECT FROM service_beats f
                  WHERE f.service = b.service AND f.beat_at >= now() - $1 * interval '1 second')
ORDER BY service, beat_at DESC

-- name: workers_gone
-- Workers of which no replica beats or, as far as they are switched on (only then a next look is known), none succeeds.
SELECT worker, max(last_beat) AS last_beat, bool_or(fresh) AS failing
FROM (SELECT *, last_beat >= now() - $1 * interval '1 second' AS fresh FROM worker_beats) AS beats
GROUP BY worker
HAVING NOT bool_or(fresh) OR (NOT bool_or(fresh AND running) AND bool_or(fresh AND next_run IS NOT NULL))

-- name: firing
-- What fires of some kinds.
SELECT id, fingerprint, kind, title FROM alerts WHERE status = 'firing' AND kind = ANY($1)

-- name: fire
-- Begins an alert; no row where it fires already.
INSERT INTO alerts (fingerprint, kind, severity, title, detail, count, since, notification_id)
VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, now()), $8)
ON CONFLICT (fingerprint) WHERE status = 'firing' DO NOTHING
RETURNING *

-- name: go_on
-- Notes that an alert still fires. A count that rises is shown; as long as nobody was told it is waited for.
WITH before AS (
    SELECT id, count, severity, notification_id FROM alerts WHERE id = $1 AND status = 'firing' FOR UPDATE
), alert AS (
    UPDATE alerts AS a SET severity = $2, title = $3, detail = $4, count = greatest(a.count, $5), last_at = now()
    FROM before WHERE a.id = before.id
    RETURNING a.notification_id, least(a.count, 2147483647)::integer AS count,
              a.count > before.count OR a.severity <> before.severity AS risen
), shown AS (
    UPDATE notifications AS n SET severity = $2, title = $3, detail = $4, count = alert.count, last_at = now()
    FROM alert WHERE n.id = alert.notification_id AND alert.risen
)
UPDATE notification_deliveries AS d
SET count = alert.count, due_at = least(d.latest_at, now() + $6::float8 * interval '1 second')
FROM alert
WHERE d.notification_id = alert.notification_id AND alert.risen
  AND d.status = 'pending' AND d.tellings = 0 AND d.attempts = 0

-- name: resolve
-- Ends an alert; no row where it has ended.
UPDATE alerts SET status = 'resolved', resolved_at = now() WHERE id = $1 AND status = 'firing' RETURNING *

-- name: notify
-- Keeps a notification of an alert, and has channels tell of it.
WITH kept AS (
    INSERT INTO notifications (id, fingerprint, kind, severity, title, detail, count)
    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id, count
)
INSERT INTO notification_deliveries (notification_id, channel, count, due_at, latest_at)
SELECT kept.id, channel, kept.count, now() + $9::float8 * interval '1 second', now() + 6 * $9::float8 * interval '1 second'
FROM kept CROSS JOIN unnest($8::text[]) AS channel

-- name: list_alerts
-- A page of alerts.
SELECT *, since AS page_at, id AS page_key FROM alerts
WHERE since <= $2 AND (since, id) < ($2, $3)
  AND ($4::text IS NULL OR status = $4) AND ($5::text IS NULL OR kind = $5)
ORDER BY page_at DESC, page_key DESC LIMIT $1
