-- name: create
-- Adds a user.
INSERT INTO users (login, name, role, password, created_by) VALUES ($1, $2, $3, $4, $5)
RETURNING id, login, name, role, language, time_zone, theme, shortcuts, password_at, created_by, created_at, disabled_at,
          seen_at

-- name: list
-- All users.
SELECT id, login, name, role, language, time_zone, theme, shortcuts, password_at, created_by, created_at, disabled_at,
       seen_at
FROM users ORDER BY created_at DESC, id

-- name: get
-- A user by their login.
SELECT id, login, name, role, language, time_zone, theme, shortcuts, password_at, created_by, created_at, disabled_at,
       seen_at
FROM users WHERE login = $1

-- name: alone
-- Waits until nobody else takes an administrator away, or makes the first one; until the transaction ends, none will.
SELECT pg_advisory_xact_lock(hashtextextended('users', 0))

-- name: another_administrator
-- Whether there is an administrator who may sign in, apart from one.
SELECT EXISTS (SELECT FROM users WHERE role = 'admin' AND disabled_at IS NULL AND id <> $1)

-- name: change
-- Replaces what a user is called, may do and likes.
UPDATE users SET name = $2, role = $3, language = $4, time_zone = $5, theme = $6, shortcuts = $7 WHERE id = $1
RETURNING id, login, name, role, language, time_zone, theme, shortcuts, password_at, created_by, created_at, disabled_at,
          seen_at

-- name: set_password
-- Replaces a password, and ends the user's sessions but one.
WITH changed AS (
    UPDATE users SET password = $2, password_at = now() WHERE login = $1 RETURNING *
), ended AS (
    DELETE FROM user_sessions s USING changed c WHERE s.user_id = c.id AND s.id IS DISTINCT FROM $3::uuid
)
SELECT id, login, name, role, language, time_zone, theme, shortcuts, password_at, created_by, created_at, disabled_at,
       seen_at
FROM changed

-- name: password
-- What is stored of a user's password.
SELECT id, password, disabled_at IS NOT NULL AS disabled FROM users WHERE login = $1

-- name: rehash
-- Stores the same password by other parameters, unless it was changed meanwhile.
UPDATE users SET password = $3 WHERE id = $1 AND password = $2

-- name: disable
-- Lets a user sign in no more, and ends their sessions.
WITH changed AS (
    UPDATE users SET disabled_at = coalesce(disabled_at, now()) WHERE id = $1 RETURNING *
), ended AS (
    DELETE FROM user_sessions s USING changed c WHERE s.user_id = c.id
)
SELECT id, login, name, role, language, time_zone, theme, shortcuts, password_at, created_by, created_at, disabled_at,
       seen_at
FROM changed

-- name: enable
-- Lets a user sign in again.
UPDATE users SET disabled_at = NULL WHERE login = $1
RETURNING id, login, name, role, language, time_zone, theme, shortcuts, password_at, created_by, created_at, disabled_at,
          seen_at

-- name: none
-- Whether there is no user at all.
SELECT NOT EXISTS (SELECT FROM users)
