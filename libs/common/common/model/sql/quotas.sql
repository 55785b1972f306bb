-- name: take_high
-- Lets $2 calls of high priority pass, unless it is closed; $3 says that more of them wait. Each makes room for $4 of a
-- call of low priority, of which at most $5 add up. Says for how long it is closed (0: it is not), and why.
INSERT INTO model_quotas AS q (key, high_wanted_until, low_credit)
VALUES ($1, CASE WHEN $3 THEN clock_timestamp() + $6::float8 * interval '1 second' ELSE '-infinity' END,
        least($5, $2::int * $4::float8))
ON CONFLICT (key) DO UPDATE
SET high_wanted_until = greatest(q.high_wanted_until, excluded.high_wanted_until),
    low_credit = CASE WHEN q.closed_until > clock_timestamp() THEN q.low_credit
                      ELSE least($5::float8, q.low_credit + excluded.low_credit) END
RETURNING CASE WHEN closed_until > clock_timestamp()
               THEN extract(epoch FROM closed_until - clock_timestamp()) ELSE 0 END::float8 AS wait, reason

-- name: take_low
-- Says how many of $2 calls of low priority may pass: all, none while it is closed, and as many as there is room for
-- while calls of high priority are wanted.
WITH q AS (
    SELECT key, low_credit, greatest(closed_until, low_closed_until) AS closed_until,
           CASE WHEN low_closed_until > closed_until THEN low_reason ELSE reason END AS reason,
           high_wanted_until > clock_timestamp() AS wanted
    FROM model_quotas WHERE key = $1 FOR UPDATE
), passing AS (
    SELECT CASE WHEN closed_until > clock_timestamp() THEN 0 WHEN wanted THEN least($2::int, floor(low_credit)::int)
                ELSE $2::int END AS number FROM q
), paid AS (
    UPDATE model_quotas SET low_credit = model_quotas.low_credit - passing.number FROM q, passing
    WHERE model_quotas.key = q.key AND q.wanted AND passing.number > 0
)
SELECT passing.number, CASE WHEN closed_until > clock_timestamp()
                            THEN extract(epoch FROM closed_until - clock_timestamp()) ELSE 0 END::float8 AS wait, reason
FROM q, passing

-- name: close
-- Lets nothing pass for $2 seconds. What was taken for the call that met the limit is taken back ($4 of a credit).
INSERT INTO model_quotas AS q (key, closed_until, reason)
VALUES ($1, clock_timestamp() + $2::float8 * interval '1 second', $3)
ON CONFLICT (key) DO UPDATE
SET closed_until = greatest(q.closed_until, excluded.closed_until), reason = excluded.reason,
    low_credit = greatest(0, q.low_credit - $4::float8)

-- name: close_low
-- Lets nothing of low priority pass for $2 seconds. Gives the credit back that was taken for the call that met the limit.
INSERT INTO model_quotas AS q (key, low_closed_until, low_reason)
VALUES ($1, clock_timestamp() + $2::float8 * interval '1 second', $3)
ON CONFLICT (key) DO UPDATE
SET low_closed_until = greatest(q.low_closed_until, excluded.low_closed_until), low_reason = excluded.low_reason,
    low_credit = CASE WHEN q.high_wanted_until > clock_timestamp() THEN least($4::float8, q.low_credit + 1)
                      ELSE q.low_credit END

-- name: want
-- Says that calls of high priority wait.
INSERT INTO model_quotas AS q (key, high_wanted_until) VALUES ($1, clock_timestamp() + $2::float8 * interval '1 second')
ON CONFLICT (key) DO UPDATE SET high_wanted_until = greatest(q.high_wanted_until, excluded.high_wanted_until)
