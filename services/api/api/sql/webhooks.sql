-- name: list_webhooks
-- A page of webhooks.
SELECT *, created_at AS page_at, id AS page_key FROM webhooks
WHERE created_at <= $2 AND (created_at, id) < ($2, $3)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: get_webhook
-- One webhook.
SELECT * FROM webhooks WHERE id = $1

-- name: add_webhook
-- Adds a webhook.
INSERT INTO webhooks (url, description, events, enabled, secret) VALUES ($1, $2, $3, $4, $5) RETURNING *

-- name: change_webhook
-- Replaces the values of a webhook. Who switches it on forgets why it was off.
UPDATE webhooks SET url = $2, description = $3, events = $4, enabled = $5,
       disabled_reason = CASE WHEN $5 THEN NULL ELSE disabled_reason END
WHERE id = $1

-- name: remove_webhook
-- Removes a webhook with its deliveries.
DELETE FROM webhooks WHERE id = $1

-- name: disable
-- Switches a webhook off that does not want to know any more.
UPDATE webhooks SET enabled = false, disabled_reason = $2 WHERE id = $1 AND enabled

-- name: announce
-- Makes deliveries of events, one for each webhook that wants to know. None is told that it takes nothing itself: that
-- would fail as well, and so on for ever.
INSERT INTO webhook_deliveries (webhook_id, event, event_id, body)
SELECT w.id, told.event, told.event_id, told.body
FROM unnest($1::text[], $2::text[], $3::text[]) AS told (event, event_id, body)
JOIN webhooks w ON w.enabled AND told.event = ANY(w.events) AND strpos(told.body, 'api.webhook_failed/' || w.id) = 0
ORDER BY w.id, told.event_id
ON CONFLICT (webhook_id, event_id) DO NOTHING

-- name: add_test
-- Makes a delivery that tests a webhook.
INSERT INTO webhook_deliveries (webhook_id, event, event_id, body)
VALUES ($1, 'webhook.test', gen_random_uuid()::text, $2) RETURNING *

-- name: list_deliveries
-- A page of a webhook's deliveries.
SELECT *, created_at AS page_at, id AS page_key FROM webhook_deliveries
WHERE created_at <= $2 AND (created_at, id) < ($2, $3) AND webhook_id = $4 AND ($5::text IS NULL OR status = $5)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: redeliver
-- Makes a delivery due again, from its first attempt.
UPDATE webhook_deliveries
SET status = 'pending', attempts = 0, due_at = now(), holder = NULL, lease_until = NULL, finished_at = NULL
WHERE webhook_id = $1 AND id = $2 RETURNING *

-- name: take
-- Takes the deliveries that are due longest, of each webhook only so many at a time: one that is slow keeps no other one
-- waiting. One whose sender died counts that attempt.
WITH next AS MATERIALIZED (
    SELECT due.id FROM webhooks told CROSS JOIN LATERAL (
        SELECT q.id, q.due_at FROM webhook_deliveries q
        WHERE q.webhook_id = told.id AND q.status = 'pending' AND q.due_at <= now()
          AND (q.lease_until IS NULL OR q.lease_until < now())
        ORDER BY q.due_at
        LIMIT greatest(0, $5 - (SELECT count(*) FROM webhook_deliveries b
                                WHERE b.webhook_id = told.id AND b.status = 'pending' AND b.lease_until >= now()))
        FOR UPDATE SKIP LOCKED) AS due
    ORDER BY due.due_at LIMIT $1
)
UPDATE webhook_deliveries AS d
SET holder = $2, lease_until = now() + $3 * interval '1 second', attempts = least(d.attempts + 1, $4)
FROM next, webhooks w
WHERE d.id = next.id AND w.id = d.webhook_id
RETURNING d.id, d.webhook_id, w.url, w.secret, d.body, d.attempts

-- name: settle
-- Records how an attempt went, unless somebody else has taken the delivery since.
UPDATE webhook_deliveries
SET status = $4, due_at = now() + $5 * interval '1 second', last_status = $6, last_error = $7, holder = NULL,
    lease_until = NULL, finished_at = CASE WHEN $4 <> 'pending' THEN now() END
WHERE id = $1 AND holder = $2 AND attempts = $3 AND status = 'pending'
