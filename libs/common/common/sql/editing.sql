-- name: by
-- Says for this transaction who writes.
SELECT set_config('postroom.by', $1, true)

-- name: add_source
-- Adds a source, unless there is one of this address.
INSERT INTO sources (kind, address, title, enabled, schedule, allow_private) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING RETURNING id

-- name: change_source
-- Replaces the values of a source.
UPDATE sources SET kind = $2, address = $3, title = $4, enabled = $5, schedule = $6, allow_private = $7
WHERE id = $1 RETURNING id

-- name: remove_source
-- Removes a source that brought nothing; the routes that start from it go with it.
DELETE FROM sources WHERE id = $1 RETURNING id

-- name: add_profile
-- Adds a profile, unless there is one of this name.
INSERT INTO profiles (name, style, language, max_length, keep, instructions, model) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING RETURNING id

-- name: change_profile
-- Replaces the values of a profile.
UPDATE profiles SET name = $2, style = $3, language = $4, max_length = $5, keep = $6, instructions = $7, model = $8
WHERE id = $1 RETURNING id

-- name: remove_profile
-- Removes a profile that no route goes through.
DELETE FROM profiles WHERE id = $1 RETURNING id

-- name: add_destination
-- Adds a destination, unless there is one of this address.
INSERT INTO destinations (address, title, posts_per_hour, is_default) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING address

-- name: change_destination
-- Replaces the values of a destination.
UPDATE destinations SET address = $2, title = $3, posts_per_hour = $4, is_default = $5 WHERE address = $1 RETURNING address

-- name: remove_destination
-- Removes a destination. What is sent there from now on goes at the platform's default pace.
DELETE FROM destinations WHERE address = $1 RETURNING address

-- name: add_route
-- Adds a route, unless there is one of this name.
INSERT INTO routes (name, source_id, profile_id, targets, approval, illustrate, image_required, broadcast, enabled,
                    slots, approval_expires_hours)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT DO NOTHING RETURNING id

-- name: change_route
-- Replaces the values of a route.
UPDATE routes
SET name = $2, source_id = $3, profile_id = $4, targets = $5, approval = $6, illustrate = $7, image_required = $8,
    broadcast = $9, enabled = $10, slots = $11, approval_expires_hours = $12
WHERE id = $1 RETURNING id

-- name: remove_route
-- Removes a route. What it was decided for goes on.
DELETE FROM routes WHERE id = $1 RETURNING id
