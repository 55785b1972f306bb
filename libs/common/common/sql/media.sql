-- name: keep
-- Keeps an image; one of the same content that is there already stays, and is used again from now on.
INSERT INTO images AS i (hash, object, origin, mime_type, size_bytes, width, height) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (hash) DO UPDATE SET last_used_at = now()
RETURNING hash, object, origin, mime_type, size_bytes, width, height

-- name: use
-- Finds an image that is to be attached in a moment: from now on it is kept for a while.
UPDATE images SET last_used_at = now() WHERE hash = $1
RETURNING hash, object, origin, mime_type, size_bytes, width, height

-- name: find
-- Finds an image.
SELECT hash, object, origin, mime_type, size_bytes, width, height FROM images WHERE hash = $1

-- name: attach
-- Attaches images to posts.
SELECT attach_images($1::uuid[], $2::text[], $3::text[])
