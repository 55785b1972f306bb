-- name: list_budgets
-- A page of budgets, with what is used of them.
SELECT *, created_at AS page_at, id AS page_key FROM budget_standing
WHERE created_at <= $2 AND (created_at, id) < ($2, $3)
  AND ($4::uuid IS NULL OR route_id = $4) AND ($5::text IS NULL OR state = $5)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: quotas
-- What is known of each quota of a model's endpoint.
SELECT key, closed_until <= now() AS open, CASE WHEN closed_until > now() THEN closed_until END AS closed_until,
       CASE WHEN closed_until > now() THEN reason END AS reason,
       greatest(closed_until, low_closed_until) <= now() AS low_open,
       CASE WHEN low_closed_until > now() THEN low_closed_until END AS low_closed_until,
       CASE WHEN low_closed_until > now() THEN low_reason END AS low_reason, high_wanted_until > now() AS high_waits
FROM model_quotas ORDER BY key
