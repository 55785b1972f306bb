-- name: list_budgets
-- A page of budgets, with what is used of them.
SELECT *, created_at AS page_at, id AS page_key FROM budget_standing
WHERE created_at <= $2 AND (created_at, id) < ($2, $3)
  AND ($4::uuid IS NULL OR route_id = $4) AND ($5::text IS NULL OR state = $5)
ORDER BY page_at DESC, page_key DESC LIMIT $1
