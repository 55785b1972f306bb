-- name: latest
-- The latest alerts, those that fire first.
SELECT * FROM alerts WHERE $1::text IS NULL OR status = $1
ORDER BY status = 'firing' DESC, since DESC, id DESC LIMIT $2

-- name: get
-- One alert.
SELECT * FROM alerts WHERE id = $1

-- name: find
-- Alerts whose id begins like this: one, or two where it is not clear which.
SELECT id FROM alerts WHERE starts_with(id::text, $1) LIMIT 2

-- name: acknowledge
-- Notes who has seen an alert; the first one counts.
UPDATE alerts SET acknowledged_by = $2, acknowledged_at = now() WHERE id = $1 AND acknowledged_at IS NULL
