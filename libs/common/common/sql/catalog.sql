-- name: source
-- One source.
SELECT id, kind, address, title, enabled, schedule, allow_private FROM sources WHERE id = $1

-- name: sources
-- The enabled sources, all or of one kind.
SELECT id, kind, address, title, enabled, schedule, allow_private FROM sources
WHERE enabled AND ($1::text IS NULL OR kind = $1) ORDER BY created_at, address

-- name: routes_of
-- The enabled routes of a source, and those of every source, which never take the canary.
SELECT id, name, source_id, profile_id, targets, approval, illustrate, image_required, broadcast, slots,
       approval_expires_hours
FROM routes
WHERE enabled AND (source_id = $1
                   OR source_id IS NULL AND NOT EXISTS (SELECT FROM sources s WHERE s.id = $1 AND s.kind = 'canary'))
ORDER BY name

-- name: route
-- One route.
SELECT id, name, source_id, profile_id, targets, approval, illustrate, image_required, broadcast, slots,
       approval_expires_hours
FROM routes WHERE id = $1

-- name: profile
-- One profile.
SELECT id, name, style, language, max_length, keep, instructions, model, version FROM profiles WHERE id = $1

-- name: profile_named
-- The id of a profile.
SELECT id FROM profiles WHERE name = $1

-- name: destination
-- The pace of one destination.
SELECT posts_per_hour FROM destinations WHERE address = $1

-- name: by
-- Says for this transaction who writes.
SELECT set_config('postroom.by', $1, true)

-- name: put_source
-- Adds or updates a source.
INSERT INTO sources AS s (kind, address, title, schedule, allow_private) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (kind, address) DO UPDATE
SET title = excluded.title, schedule = excluded.schedule, allow_private = excluded.allow_private, enabled = true
RETURNING id

-- name: put_profile
-- Adds or updates a profile.
INSERT INTO profiles (name, style, language, max_length, keep, instructions, model) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (name) DO UPDATE
SET style = excluded.style, language = excluded.language, max_length = excluded.max_length, keep = excluded.keep,
    instructions = excluded.instructions, model = excluded.model
RETURNING id

-- name: put_destination
-- Adds or updates a destination.
INSERT INTO destinations (address, title, posts_per_hour, is_default) VALUES ($1, $2, $3, $4)
ON CONFLICT (address) DO UPDATE
SET title = excluded.title, posts_per_hour = excluded.posts_per_hour, is_default = excluded.is_default

-- name: put_route
-- Adds or updates a route.
INSERT INTO routes (name, source_id, profile_id, targets, approval, illustrate, image_required, broadcast, slots,
                    approval_expires_hours)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (name) DO UPDATE
SET source_id = excluded.source_id, profile_id = excluded.profile_id, targets = excluded.targets,
    approval = excluded.approval, illustrate = excluded.illustrate,
    image_required = excluded.image_required, broadcast = excluded.broadcast, slots = excluded.slots,
    approval_expires_hours = excluded.approval_expires_hours, enabled = true
RETURNING id
