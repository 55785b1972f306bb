-- name: start
-- Signs a user in, unless they were disabled or their password was changed meanwhile; what they have not chosen is as their browser has it.
WITH person AS (
    UPDATE users SET language = coalesce(language, $5), time_zone = coalesce(time_zone, $6), seen_at = now()
    WHERE id = $1 AND disabled_at IS NULL AND ($7::text IS NULL OR password = $7) RETURNING *
), made AS (
    INSERT INTO user_sessions (user_id, digest, address, agent) SELECT id, $2, $3, $4 FROM person
    RETURNING id, created_at, used_at, address, agent
)
SELECT p.id, p.login, p.name, p.role, p.language, p.time_zone, p.theme, p.shortcuts,
       m.id AS session_id, m.created_at, m.used_at, m.address, m.agent
FROM person p CROSS JOIN made m

-- name: find
-- The session of a digest with its person, while neither has ended; whether its last use was noted over a minute ago.
SELECT p.id, p.login, p.name, p.role, p.language, p.time_zone, p.theme, p.shortcuts,
       s.id AS session_id, s.created_at, s.used_at, s.address, s.agent, s.used_at < now() - interval '1 minute' AS stale
FROM user_sessions s JOIN users p ON p.id = s.user_id
WHERE s.digest = $1 AND p.disabled_at IS NULL
  AND s.used_at > now() - $2 * interval '1 day' AND s.created_at > now() - $3 * interval '1 day'

-- name: used
-- Notes that a session was used.
WITH used AS (
    UPDATE user_sessions SET used_at = now() WHERE id = $1 AND used_at < now() - interval '1 minute' RETURNING user_id
)
UPDATE users u SET seen_at = now() FROM used WHERE u.id = used.user_id

-- name: list
-- A user's sessions that have not ended, the last used first.
SELECT s.id AS session_id, s.created_at, s.used_at, s.address, s.agent,
       p.id, p.login, p.name, p.role, p.language, p.time_zone, p.theme, p.shortcuts
FROM user_sessions s JOIN users p ON p.id = s.user_id
WHERE s.user_id = $1 AND s.used_at > now() - $2 * interval '1 day' AND s.created_at > now() - $3 * interval '1 day'
ORDER BY s.used_at DESC, s.id

-- name: end
-- Ends a session by its digest.
DELETE FROM user_sessions WHERE digest = $1

-- name: end_one
-- Ends one session of a user.
DELETE FROM user_sessions WHERE user_id = $1 AND id = $2 RETURNING id

-- name: end_all
-- Ends a user's sessions, but one.
DELETE FROM user_sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2::uuid RETURNING id

-- name: forget
-- Forgets sessions that have ended by themselves, and attempts of a day ago.
WITH old AS (DELETE FROM sign_in_attempts WHERE last_at < now() - interval '1 day' AND blocked_until < now())
DELETE FROM user_sessions WHERE used_at <= now() - $1 * interval '1 day' OR created_at <= now() - $2 * interval '1 day'

-- name: attempt
-- Counts an attempt to sign in and says how long to wait for the next one; no row while one is to be waited for now. So
-- many are free; then the wait doubles up to its longest. A day without any forgets them.
INSERT INTO sign_in_attempts AS a (key, attempts) VALUES ($1, 1)
ON CONFLICT (key) DO UPDATE
SET attempts = CASE WHEN a.last_at < now() - interval '1 day' THEN 1 ELSE a.attempts + 1 END,
    last_at = now(),
    blocked_until = CASE WHEN a.last_at < now() - interval '1 day' OR a.attempts + 1 < $2 THEN now()
                    ELSE now() + least($3, 2 ^ least(a.attempts + 1 - $2, 30)) * interval '1 second' END
WHERE a.blocked_until <= now()
RETURNING attempts

-- name: wait
-- How many seconds are to be waited.
SELECT greatest(0, extract(epoch FROM blocked_until - now()))::float8 FROM sign_in_attempts WHERE key = $1

-- name: forget_attempts
-- Forgets the attempts of a login.
DELETE FROM sign_in_attempts WHERE key = $1

-- name: take_back
-- Takes the attempt of an address back: it succeeded.
UPDATE sign_in_attempts SET attempts = greatest(0, attempts - 1), blocked_until = now() WHERE key = $1

-- name: offer_setup
-- Stores a code that makes the first administrator, while there is none.
INSERT INTO setup_codes (digest, created_by) SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM users) RETURNING digest

-- name: know_setup
-- Whether there is such a code, and no user yet.
SELECT EXISTS (SELECT FROM setup_codes WHERE digest = $1) AND NOT EXISTS (SELECT FROM users)

-- name: end_setup
-- Forgets all codes.
DELETE FROM setup_codes
