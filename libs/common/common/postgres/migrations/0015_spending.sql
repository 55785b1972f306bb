-- Model calls and budgets.

CREATE TABLE model_quotas (
    key               text             PRIMARY KEY,     -- a hash of the endpoint's address and key
    closed_until      timestamptz      NOT NULL DEFAULT '-infinity',  -- a call of high priority met the rate limit
    reason            text             NOT NULL DEFAULT '',
    low_closed_until  timestamptz      NOT NULL DEFAULT '-infinity',  -- one of low priority did: the others go on
    low_reason        text             NOT NULL DEFAULT '',
    high_wanted_until timestamptz      NOT NULL DEFAULT '-infinity',  -- work of high priority waits, as far as is known
    low_credit        double precision NOT NULL DEFAULT 0             -- calls of low priority that may pass meanwhile
) WITH (fillfactor = 50);  -- one row that each call updates, in the same page
COMMENT ON TABLE model_quotas IS 'owner: common.model, whoever calls models. What the services that share the quota of a '
    'model''s endpoint know of it, and of each other.';

CREATE TABLE model_calls (
    id                uuid        PRIMARY KEY,
    at                timestamptz NOT NULL DEFAULT now(),  -- of its end
    service           text        NOT NULL,
    kind              text        NOT NULL CHECK (kind IN ('chat', 'image')),
    model             text        NOT NULL,                -- that was asked: the fallback of a budget, perhaps
    outcome           text        NOT NULL,                -- answered, refused, or the kind of error
    route_id          uuid,                                -- NULL: for no route. No reference: the books outlive routes
    profile_id        uuid,
    post_id           uuid,
    consumer          text        NOT NULL,                -- of the job
    event_id          text        NOT NULL,
    prompt_tokens     integer     NOT NULL DEFAULT 0,
    completion_tokens integer     NOT NULL DEFAULT 0,
    cost_usd          numeric(12, 6) NOT NULL DEFAULT 0,
    seconds           real        NOT NULL
);
CREATE INDEX model_calls_at ON model_calls (at);           -- reports are of a time; so is the deletion of what is old
CREATE INDEX model_calls_post ON model_calls (post_id) WHERE post_id IS NOT NULL;
COMMENT ON TABLE model_calls IS
    'owner: common.spending, whoever calls models. Each call that was made to a model, answered or not, and what it cost.';

CREATE TABLE budgets (
    id                   uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    name                 text        NOT NULL UNIQUE,
    route_id             uuid        REFERENCES routes,    -- NULL: of all calls
    period               text        NOT NULL CHECK (period IN ('day', 'month')),
    timezone             text        NOT NULL DEFAULT 'UTC',
    limit_usd            numeric(12, 6) CHECK (limit_usd > 0),
    limit_tokens         bigint      CHECK (limit_tokens > 0),
    warn_share           double precision NOT NULL DEFAULT 0.8 CHECK (warn_share > 0 AND warn_share <= 1),
    at_limit             text        NOT NULL DEFAULT 'stop' CHECK (at_limit IN ('stop', 'fallback')),
    fallback_model       text,                             -- for texts
    fallback_image_model text,
    created_at           timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(limit_usd, limit_tokens) > 0),
    CHECK (at_limit = 'stop' OR num_nonnulls(fallback_model, fallback_image_model) > 0)
);
CREATE INDEX budgets_route ON budgets (route_id) WHERE route_id IS NOT NULL;
COMMENT ON TABLE budgets IS 'owner: api; written through common.spending. How much may be spent on models.';

-- Kept with each call rather than added up: a budget is looked at before every call.
CREATE TABLE budget_periods (
    budget_id  uuid        NOT NULL REFERENCES budgets ON DELETE CASCADE,
    began_at   timestamptz NOT NULL,
    cost_usd   numeric(14, 6) NOT NULL DEFAULT 0,
    tokens     bigint      NOT NULL DEFAULT 0,
    warned_at  timestamptz,                                -- people were told that the limit is near
    reached_at timestamptz,                                -- … that it is reached
    PRIMARY KEY (budget_id, began_at)
) WITH (fillfactor = 50);
COMMENT ON TABLE budget_periods IS 'owner: common.spending, whoever calls models. What was spent of each budget.';

CREATE VIEW budget_standing AS
SELECT used.*,
       CASE WHEN share >= 1 THEN 'reached' WHEN share >= warn_share THEN 'near' ELSE 'ok' END AS state
FROM (SELECT b.*, r.name AS route, period_of.began_at,
             date_add(period_of.began_at, ('1 ' || b.period)::interval, b.timezone) AS resets_at,
             coalesce(p.cost_usd, 0) AS used_usd, coalesce(p.tokens, 0) AS used_tokens, p.warned_at, p.reached_at,
             greatest(coalesce(p.cost_usd, 0) / b.limit_usd,
                      coalesce(p.tokens, 0)::numeric / b.limit_tokens)::double precision AS share
      FROM budgets b
      CROSS JOIN LATERAL (SELECT date_trunc(b.period, now(), b.timezone) AS began_at) AS period_of
      LEFT JOIN budget_periods p ON p.budget_id = b.id AND p.began_at = period_of.began_at
      LEFT JOIN routes r ON r.id = b.route_id) AS used;
COMMENT ON VIEW budget_standing IS 'owner: common.spending. What is used of each budget in the period that runs.';

-- When a job last came to wait for a time that is known, such as the end of a budget's period: its deadline runs from
-- there. NULL: from its beginning.
ALTER TABLE jobs ADD patient_from timestamptz;
