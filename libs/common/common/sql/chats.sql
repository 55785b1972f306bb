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
