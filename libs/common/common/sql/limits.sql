-- name: take
-- Moves the theoretical arrival time on where a place is free (wait 0), else says how long to wait.
WITH asked AS (
    SELECT $1::text AS key, clock_timestamp() AS now, $2::float8 * interval '1 second' AS step,
           $3::float8 * interval '1 second' AS tolerance
), moved AS (
    INSERT INTO pacing AS p (key, arrival) SELECT key, now + step FROM asked
    ON CONFLICT (key) DO UPDATE
    SET arrival = greatest(p.arrival, clock_timestamp()) + $2::float8 * interval '1 second'
    WHERE p.arrival - $3::float8 * interval '1 second' <= clock_timestamp()
      AND coalesce(p.blocked_until, '-infinity') <= clock_timestamp()
    RETURNING key
)
SELECT CASE WHEN EXISTS (SELECT FROM moved) THEN 0
            ELSE (SELECT extract(epoch FROM greatest(p.arrival - asked.tolerance, coalesce(p.blocked_until, '-infinity'))
                                            - asked.now)
                  FROM pacing p JOIN asked USING (key)) END::float8 AS wait

-- name: block
-- Lets nothing pass for a while; a longer block that is there already stays.
INSERT INTO pacing AS p (key, arrival, blocked_until)
VALUES ($1, clock_timestamp(), clock_timestamp() + $2::float8 * interval '1 second')
ON CONFLICT (key) DO UPDATE SET blocked_until = greatest(p.blocked_until, excluded.blocked_until)

-- name: blocked
-- Says for how long a key is still blocked.
SELECT extract(epoch FROM blocked_until - clock_timestamp())::float8 AS wait FROM pacing
WHERE key = $1 AND blocked_until > clock_timestamp()
