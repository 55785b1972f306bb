-- name: profile
-- The profile of this name or id.
SELECT id FROM profiles WHERE name = $1 OR id::text = $1 ORDER BY name = $1 DESC LIMIT 1

-- name: bring
-- Brings the brief as a post. It has no content key: whoever asks twice for a post from one brief wants two.
SELECT post_id FROM add_posts($1::jsonb)

-- name: add
-- Adds a content.
INSERT INTO contents (id, post_id, title, description, profile_id, illustrate, rule_id, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: lock
-- Waits until nobody else changes or plans a content; until the transaction ends, nobody will.
SELECT post_id FROM contents WHERE id = $1 AND deleted_at IS NULL FOR UPDATE

-- name: in_use
-- What stands in the way of deleting a content.
SELECT (SELECT count(*) FROM scheduled_posts s WHERE s.post_id = $1 AND s.status = 'scheduled') AS scheduled,
       (SELECT count(*) FROM scheduled_posts s WHERE s.post_id = $1 AND s.status = 'publishing')
       + (SELECT count(*) FROM publications p WHERE p.post_id = $1 AND p.status IN ('queued', 'in_progress'))
           AS publishing

-- name: delete
-- Deletes a content; what was written of it stays in the records.
UPDATE contents SET deleted_at = now() WHERE id = $1

-- name: get
-- One content with what was written of it: what a person wrote in its place comes first.
SELECT c.id, c.post_id, c.title, c.description, c.profile_id, c.illustrate, c.rule_id, c.created_by, c.created_at,
       s.status, s.reason, s.awaits_image, w.id AS rewrite_id,
       coalesce(w.title, '') AS headline, coalesce(e.text, w.text) AS text, coalesce(e.entities, w.entities) AS entities,
       coalesce(w.hashtags, '{}') AS hashtags, coalesce(w.language, '') AS language, e.edited_by, e.edited_at,
       (SELECT a.hash FROM attachments a WHERE a.post_id = c.post_id AND a.place IN ('post', 'rewrite/' || w.id)
        ORDER BY a.place = 'post' LIMIT 1) AS image
FROM contents c JOIN content_states s ON s.content_id = c.id
LEFT JOIN LATERAL (
    SELECT r.* FROM rewrites r WHERE r.post_id = c.post_id AND r.status = 'succeeded'
    ORDER BY r.created_at DESC LIMIT 1) w ON true
LEFT JOIN LATERAL (
    SELECT p.* FROM post_edits p WHERE p.post_id = c.post_id AND (p.rewrite_id IS NULL OR p.rewrite_id = w.id)
    ORDER BY p.rewrite_id IS NULL, p.edited_at DESC LIMIT 1) e ON true
WHERE c.id = $1 AND c.deleted_at IS NULL

-- name: list
-- A page of contents; deleted ones only where these are asked for.
SELECT c.id, c.post_id, c.title, c.illustrate, c.rule_id, c.created_by, c.created_at, s.status, s.reason, s.awaits_image,
       c.created_at AS page_at, c.id AS page_key
FROM contents c JOIN content_states s ON s.content_id = c.id
WHERE c.created_at <= $2 AND (c.created_at, c.id) < ($2, $3)
  AND ($4::text IS NULL AND c.deleted_at IS NULL OR s.status = $4)
  AND ($5::uuid IS NULL OR c.rule_id = $5)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: wake
-- Makes scheduled posts due again that were put off because the content was not written.
UPDATE scheduled_posts SET due_at = scheduled_time WHERE post_id = $1 AND status = 'scheduled' AND attempts = 0
