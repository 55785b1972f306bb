-- name: list_notifications
-- A page of notifications.
SELECT *, last_at AS page_at, id AS page_key FROM notifications
WHERE last_at <= $2 AND (last_at, id) < ($2, $3)
  AND ($4::text IS NULL OR severity = $4) AND ($5::text IS NULL OR kind = $5) AND ($6::uuid IS NULL OR post_id = $6)
  AND ($7::boolean IS NULL OR $7 = (read_at IS NOT NULL))
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: get_notification
-- One notification.
SELECT * FROM notifications WHERE id = $1

-- name: list_images
-- A page of images, with the posts that have them and what a model made them from.
SELECT i.*, known.*
FROM (SELECT i.*, i.created_at AS page_at, i.hash AS page_key FROM images i
      WHERE i.created_at <= $2 AND (i.created_at, i.hash) < ($2, $3)
        AND ($4::text IS NULL OR i.origin = $4)
        AND ($5::boolean IS NULL OR $5 = EXISTS (SELECT FROM attachments a WHERE a.hash = i.hash))
        AND ($6::timestamptz IS NULL OR i.created_at >= $6) AND ($7::timestamptz IS NULL OR i.created_at < $7)
      ORDER BY page_at DESC, page_key DESC LIMIT $1) AS i
CROSS JOIN LATERAL (
    SELECT array(SELECT DISTINCT a.post_id FROM attachments a WHERE a.hash = i.hash ORDER BY 1 LIMIT 100) AS posts,
           coalesce((SELECT jsonb_agg(to_jsonb(at) ORDER BY at.attached_at DESC)
                     FROM (SELECT a.post_id, coalesce(nullif(p.title, ''), left(p.text, 120)) AS title, a.place, a.attached_at
                           FROM attachments a JOIN posts p ON p.id = a.post_id
                           WHERE a.hash = i.hash ORDER BY a.attached_at DESC, a.place LIMIT 10) AS at), '[]') AS attached_to,
           (SELECT to_jsonb(d) FROM (
                SELECT l.post_id, l.rewrite_id, l.prompt, l.model, l.size, l.cost_usd, l.duration_ms / 1000.0 AS seconds,
                       l.attempts, l.created_at
                FROM illustrations l WHERE l.hash = i.hash ORDER BY l.created_at DESC LIMIT 1) AS d) AS illustration
) AS known
ORDER BY page_at DESC, page_key DESC

-- name: get_image
-- One image, with the posts that have it and what a model made it from.
SELECT i.*, known.* FROM images i
CROSS JOIN LATERAL (
    SELECT array(SELECT DISTINCT a.post_id FROM attachments a WHERE a.hash = i.hash ORDER BY 1 LIMIT 100) AS posts,
           coalesce((SELECT jsonb_agg(to_jsonb(at) ORDER BY at.attached_at DESC)
                     FROM (SELECT a.post_id, coalesce(nullif(p.title, ''), left(p.text, 120)) AS title, a.place, a.attached_at
                           FROM attachments a JOIN posts p ON p.id = a.post_id
                           WHERE a.hash = i.hash ORDER BY a.attached_at DESC, a.place LIMIT 10) AS at), '[]') AS attached_to,
           (SELECT to_jsonb(d) FROM (
                SELECT l.post_id, l.rewrite_id, l.prompt, l.model, l.size, l.cost_usd, l.duration_ms / 1000.0 AS seconds,
                       l.attempts, l.created_at
                FROM illustrations l WHERE l.hash = i.hash ORDER BY l.created_at DESC LIMIT 1) AS d) AS illustration
) AS known
WHERE i.hash = $1

-- name: list_chats
-- A page of chats.
SELECT *, created_at AS page_at, address AS page_key FROM chats
WHERE created_at <= $2 AND (created_at, address) < ($2, $3)
  AND ($4::boolean IS NULL OR enabled = $4) AND ($5::boolean IS NULL OR $5 = (flag IS NOT NULL))
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: get_chat
-- One chat.
SELECT * FROM chats WHERE address = $1

-- name: list_audit
-- A page of the audit log.
SELECT *, at AS page_at, id AS page_key FROM audit_log
WHERE at <= $2 AND (at, id) < ($2, $3::text::bigint)
  AND ($4::text IS NULL OR actor = $4) AND ($5::text IS NULL OR action = $5) AND ($6::text IS NULL OR object = $6)
ORDER BY page_at DESC, page_key DESC LIMIT $1
