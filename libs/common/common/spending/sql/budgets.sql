-- name: standing
-- All budgets, or one by id ($1) or by name ($2), with what is used of them in the period that runs.
SELECT * FROM budget_standing WHERE ($1::uuid IS NULL OR id = $1) AND ($2::text IS NULL OR name = $2) ORDER BY created_at, id

-- name: add
-- Adds a budget.
INSERT INTO budgets (name, route_id, period, timezone, limit_usd, limit_tokens, warn_share, at_limit, fallback_model,
                     fallback_image_model)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
RETURNING id

-- name: change
-- Changes all of a budget.
UPDATE budgets SET name = $2, route_id = $3, period = $4, timezone = $5, limit_usd = $6, limit_tokens = $7,
                   warn_share = $8, at_limit = $9, fallback_model = $10, fallback_image_model = $11
WHERE id = $1 RETURNING id

-- name: remove
-- Removes a budget, and what was added up for it; the calls stay.
DELETE FROM budgets WHERE id = $1 RETURNING id

-- name: alone
-- Waits until calls that are being booked are there, and lets nobody book until the transaction ends.
LOCK TABLE model_calls IN SHARE MODE

-- name: forget
-- Forgets what was added up for a budget, and what people were told of it.
DELETE FROM budget_periods WHERE budget_id = $1

-- name: count
-- Adds up what was spent of a budget in the period that runs.
INSERT INTO budget_periods (budget_id, began_at, cost_usd, tokens)
SELECT b.id, now_in.began_at, coalesce(sum(c.cost_usd), 0), coalesce(sum(c.prompt_tokens + c.completion_tokens), 0)
FROM budgets b
CROSS JOIN LATERAL (SELECT date_trunc(b.period, now(), b.timezone) AS began_at) AS now_in
LEFT JOIN model_calls c ON c.at >= now_in.began_at AND (b.route_id IS NULL OR c.route_id = b.route_id)
WHERE b.id = $1
GROUP BY b.id, now_in.began_at

-- name: route_named
-- Finds a route by its name.
SELECT id FROM routes WHERE name = $1
