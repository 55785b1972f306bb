-- token_put: A token, unless it is known.
INSERT OR IGNORE INTO tokens (token, account, issued_at, expires_at) VALUES (?, ?, ?, ?);

-- token_get: Whose it is, and until when.
SELECT account, expires_at FROM tokens WHERE token = ?;

-- tokens_expire: Ends all tokens of an account that are in force.
UPDATE tokens SET expires_at = ?1 WHERE account = ?2 AND (expires_at IS NULL OR expires_at > ?1);

-- token_newest: The newest token of an account, whether or not it is in force.
SELECT token FROM tokens WHERE account = ? ORDER BY issued_at DESC, rowid DESC LIMIT 1;

-- container_last: The highest id that was given.
SELECT max(id) FROM containers;

-- container_add: A new container.
INSERT INTO containers (id, account, kind, caption, alt_text, is_child, children, content, failure, created_at, ready_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- container_get: One container, with the media that it became.
SELECT c.id, c.account, c.kind, c.caption, c.alt_text, c.is_child, c.children, c.failure, c.created_at, c.ready_at, m.id
FROM containers c LEFT JOIN media m ON m.container = c.id
WHERE c.id = ?;

-- media_last: The highest id that was given.
SELECT max(id) FROM media;

-- media_add: What a container became.
INSERT INTO media (id, container, account, album, published_at) VALUES (?, ?, ?, ?, ?);

-- media_get: One post, or one picture of a carousel.
SELECT m.id, m.account, m.album, m.published_at, c.kind, c.caption, c.alt_text
FROM media m JOIN containers c ON c.id = m.container
WHERE m.id = ?;

-- media_recent: The posts of an account, the newest first, that are between two ids and two times.
SELECT m.id, m.account, m.album, m.published_at, c.kind, c.caption, c.alt_text
FROM media m JOIN containers c ON c.id = m.container
WHERE m.account = ? AND m.album IS NULL AND m.id > ? AND m.id < ? AND m.published_at >= ? AND m.published_at <= ?
ORDER BY m.id DESC LIMIT ?;

-- media_oldest_first: The same, the oldest first.
SELECT m.id, m.account, m.album, m.published_at, c.kind, c.caption, c.alt_text
FROM media m JOIN containers c ON c.id = m.container
WHERE m.account = ? AND m.album IS NULL AND m.id > ? AND m.id < ? AND m.published_at >= ? AND m.published_at <= ?
ORDER BY m.id LIMIT ?;

-- media_children: What is in a carousel, in order.
SELECT m.id, m.account, m.album, m.published_at, c.kind, c.caption, c.alt_text
FROM media m JOIN containers c ON c.id = m.container
WHERE m.album = ? ORDER BY m.id;

-- media_count: How many posts an account has.
SELECT count(*) FROM media WHERE account = ? AND album IS NULL;

-- media_published: How many posts an account has published since a time.
SELECT count(*) FROM media WHERE account = ? AND album IS NULL AND published_at > ?;

-- media_content: The picture of a media.
SELECT c.content FROM media m JOIN containers c ON c.id = m.container WHERE m.id = ?;
