-- name: keep
-- Keeps an image; one of the same content that is there already stays, and is used again from now on. Not if storing
-- its object began half an hour ago: an object without a row counts as an orphan when it is an hour old.
INSERT INTO images AS i (hash, object, origin, mime_type, size_bytes, width, height)
SELECT $1, $2, $3, $4, $5::bigint, $6::int, $7::int WHERE $8::timestamptz > now() - interval '30 minutes'
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

-- name: collectable
-- Finds images that are attached to no post and were not used for so many seconds, by their hash, after the given one.
SELECT hash FROM images i
WHERE last_used_at < now() - make_interval(secs => $1::float8) AND hash > $2
  AND NOT EXISTS (SELECT FROM attachments a WHERE a.hash = i.hash AND a.hash > $2)
ORDER BY hash LIMIT 500

-- name: collect
-- Deletes an image that was not used for so many seconds, and records it. Fails where it is attached by now.
WITH deleted AS (
    DELETE FROM images WHERE hash = $1 AND last_used_at < now() - make_interval(secs => $2::float8) RETURNING *
)
INSERT INTO image_deletions (hash, object, origin, mime_type, size_bytes, reason, deleted_by)
SELECT hash, object, origin, mime_type, size_bytes, CASE WHEN detached_at IS NULL THEN 'unused' ELSE 'outdated' END, $3
FROM deleted
RETURNING id, object, hash, reason, size_bytes

-- name: delete
-- Deletes an image that a model made, and records it. Fails where it is attached.
WITH deleted AS (DELETE FROM images WHERE hash = $1 AND origin = 'generated' RETURNING *)
INSERT INTO image_deletions (hash, object, origin, mime_type, size_bytes, reason, deleted_by)
SELECT hash, object, origin, mime_type, size_bytes, 'requested', $2 FROM deleted
RETURNING id, object, hash, reason, size_bytes

-- name: count_deletable
-- Counts the images that a model made and no post has: of these hashes, stored since $2 and before $3, and until $4.
SELECT count(*) AS number FROM images i
WHERE origin = 'generated' AND NOT EXISTS (SELECT FROM attachments a WHERE a.hash = i.hash)
  AND ($1::text[] IS NULL OR hash = ANY ($1)) AND ($2::timestamptz IS NULL OR created_at >= $2)
  AND ($3::timestamptz IS NULL OR created_at < $3) AND ($4::timestamptz IS NULL OR created_at <= $4)

-- name: deletable
-- Finds them, by their hash, after the given one.
SELECT hash FROM images i
WHERE origin = 'generated' AND NOT EXISTS (SELECT FROM attachments a WHERE a.hash = i.hash)
  AND ($1::text[] IS NULL OR hash = ANY ($1)) AND ($2::timestamptz IS NULL OR created_at >= $2)
  AND ($3::timestamptz IS NULL OR created_at < $3) AND ($4::timestamptz IS NULL OR created_at <= $4)
  AND hash > $5
ORDER BY hash LIMIT $6

-- name: attached_to
-- Finds the posts that have an image.
SELECT DISTINCT post_id FROM attachments WHERE hash = $1 ORDER BY post_id LIMIT 100

-- name: open_deletions
-- Finds deletions whose object may still be there.
SELECT id, object, hash, reason, size_bytes FROM image_deletions WHERE object_deleted_at IS NULL ORDER BY id

-- name: close_deletion
-- Notes that the object of a deletion is gone.
UPDATE image_deletions SET object_deleted_at = now() WHERE id = $1 AND object_deleted_at IS NULL

-- name: without_row
-- Finds, among objects, those that no image has and no deletion names.
SELECT object FROM unnest($1::text[]) AS given (object)
WHERE NOT EXISTS (SELECT FROM images i WHERE i.object = given.object)
  AND NOT EXISTS (SELECT FROM image_deletions d WHERE d.object = given.object AND d.object_deleted_at IS NULL)

-- name: not_among
-- Finds the objects of images that are not among those given.
SELECT object FROM images i WHERE NOT EXISTS (SELECT FROM unnest($1::text[]) AS given (object) WHERE given.object = i.object)

-- name: record_orphan
-- Records that an object without a row is deleted; not if it has one after all.
INSERT INTO image_deletions (hash, object, reason, deleted_by)
SELECT $1, $2, 'orphan', $3 WHERE NOT EXISTS (SELECT FROM images i WHERE i.object = $2)
RETURNING id, object, hash, reason, size_bytes

-- name: list
-- Lists images with the posts that have them, the newest first; $1 and $2 narrow by origin and by being attached.
SELECT i.hash, i.origin, i.mime_type, i.size_bytes, i.width, i.height, i.created_at, i.last_used_at, a.posts
FROM images i
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(DISTINCT post_id), '{}') AS posts FROM attachments WHERE attachments.hash = i.hash
) AS a
WHERE ($1::text IS NULL OR i.origin = $1) AND ($2::boolean IS NULL OR (a.posts <> '{}') = $2)
ORDER BY i.created_at DESC, i.hash LIMIT $3
