-- name: record
-- Books calls, each given as a JSON object, and adds them to the budgets that they belong to: in the order of their ids,
-- so that two who book at once do not lock crosswise.
WITH booked AS (
    INSERT INTO model_calls (id, service, kind, model, outcome, route_id, profile_id, post_id, consumer, event_id,
                             prompt_tokens, completion_tokens, cost_usd, seconds)
    SELECT call.*
    FROM unnest($1::jsonb[]) AS given (call)
    CROSS JOIN LATERAL jsonb_to_record(given.call) AS call (
        id uuid, service text, kind text, model text, outcome text, route_id uuid, profile_id uuid, post_id uuid,
        consumer text, event_id text, prompt_tokens integer, completion_tokens integer, cost_usd numeric, seconds real)
    ON CONFLICT (id) DO NOTHING
    RETURNING at, route_id, cost_usd, prompt_tokens + completion_tokens AS tokens
)
INSERT INTO budget_periods AS p (budget_id, began_at, cost_usd, tokens)
SELECT b.id, date_trunc(b.period, booked.at, b.timezone) AS began_at, sum(booked.cost_usd), sum(booked.tokens)
FROM booked JOIN budgets b ON b.route_id IS NULL OR b.route_id = booked.route_id
GROUP BY b.id, began_at HAVING sum(booked.cost_usd) > 0 OR sum(booked.tokens) > 0
ORDER BY b.id, began_at
ON CONFLICT (budget_id, began_at) DO UPDATE SET cost_usd = p.cost_usd + excluded.cost_usd, tokens = p.tokens + excluded.tokens

-- name: warned
-- Notes that people are told that a limit is near; no row where that was done before.
INSERT INTO budget_periods AS p (budget_id, began_at, warned_at)
SELECT id, $2, now() FROM budgets WHERE id = $1 FOR KEY SHARE
ON CONFLICT (budget_id, began_at) DO UPDATE SET warned_at = now() WHERE p.warned_at IS NULL
RETURNING budget_id

-- name: reached
-- Notes that people are told that a limit is reached; no row where that was done before.
INSERT INTO budget_periods AS p (budget_id, began_at, warned_at, reached_at)
SELECT id, $2, now(), now() FROM budgets WHERE id = $1 FOR KEY SHARE
ON CONFLICT (budget_id, began_at) DO UPDATE SET warned_at = coalesce(p.warned_at, now()), reached_at = now()
WHERE p.reached_at IS NULL
RETURNING budget_id

-- name: report
-- Adds calls up by what $8 names: day (in the time zone $9), route, profile, model, service, kind, outcome or purpose.
SELECT s.key, CASE $8::text WHEN 'route' THEN r.name WHEN 'profile' THEN p.name END AS name, s.calls, s.failed,
       s.prompt_tokens, s.completion_tokens, s.cost_usd, s.seconds
FROM (SELECT CASE $8::text WHEN 'day' THEN to_char(c.at AT TIME ZONE $9::text, 'YYYY-MM-DD')
                           WHEN 'route' THEN c.route_id::text WHEN 'profile' THEN c.profile_id::text
                           WHEN 'model' THEN c.model WHEN 'service' THEN c.service WHEN 'kind' THEN c.kind
                           WHEN 'outcome' THEN c.outcome
                           WHEN 'purpose' THEN CASE c.consumer WHEN 'rewriter' THEN 'rewrite'
                                                               WHEN 'rewriter-contents' THEN 'content'
                                                               WHEN 'rewriter-trials' THEN 'trial'
                                                               WHEN 'imagegen' THEN 'image' ELSE c.consumer END END AS key,
             count(*) AS calls, count(*) FILTER (WHERE c.outcome NOT IN ('answered', 'refused')) AS failed,
             coalesce(sum(c.prompt_tokens), 0)::bigint AS prompt_tokens,
             coalesce(sum(c.completion_tokens), 0)::bigint AS completion_tokens,
             coalesce(sum(c.cost_usd), 0) AS cost_usd, avg(c.seconds)::float8 AS seconds
      FROM model_calls c
      WHERE c.at >= $1 AND c.at < $2 AND ($3::uuid IS NULL OR c.route_id = $3) AND ($4::uuid IS NULL OR c.post_id = $4)
        AND ($5::text IS NULL OR c.model = $5) AND ($6::text IS NULL OR c.service = $6)
        AND ($7::text IS NULL OR c.kind = $7) AND ($10::uuid IS NULL OR c.profile_id = $10)
      GROUP BY 1) AS s
LEFT JOIN routes r ON $8 = 'route' AND r.id::text = s.key LEFT JOIN profiles p ON $8 = 'profile' AND p.id::text = s.key
ORDER BY CASE WHEN $8 = 'day' THEN 0 ELSE s.cost_usd END DESC, s.key DESC NULLS LAST
