-- name: list
-- All chats.
SELECT address, title, enabled, min_messages_between, peer_id, last_success_post_at, messages_since_post, flag, flag_reason,
       flagged_at
FROM chats ORDER BY address

-- name: put
-- Adds or updates chats; what is not given stays, and what the userbot has learnt is not touched.
WITH given AS (
    SELECT g.address, coalesce(g.title, c.title, '') AS title, coalesce(g.least, c.min_messages_between, 0) AS least,
           coalesce(g.enabled, c.enabled, true) AS enabled, c.address IS NULL AS added
    FROM unnest($1::text[], $2::text[], $3::int[], $4::boolean[]) AS g (address, title, least, enabled)
    LEFT JOIN chats c ON c.address = g.address
), put AS (
    INSERT INTO chats (address, title, min_messages_between, enabled)
    SELECT address, title, least, enabled FROM given ORDER BY address
    ON CONFLICT (address) DO UPDATE
    SET title = excluded.title, min_messages_between = excluded.min_messages_between, enabled = excluded.enabled
)
SELECT added FROM given

-- name: disable
-- Has nothing sent to chats any more.
UPDATE chats SET enabled = false WHERE address = ANY ($1::text[]) RETURNING address

-- name: referred
-- Chats, locked, each with a route that broadcasts to it and the number of broadcasts that name it.
SELECT c.address,
       (SELECT min(r.name) FROM routes r WHERE r.broadcast -> 'chats' ? c.address) AS route,
       (SELECT count(*) FROM userbot_tasks t WHERE c.address = ANY (t.chats) OR c.address = ANY (t.target_chat_ids)) AS broadcasts
FROM chats c WHERE c.address = ANY ($1::text[]) FOR UPDATE OF c

-- name: delete
-- Deletes chats.
DELETE FROM chats WHERE address = ANY ($1::text[])
