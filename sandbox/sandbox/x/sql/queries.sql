-- token_put: A token, unless it is known.
INSERT OR IGNORE INTO tokens (token, account, kind, issued_at, expires_at) VALUES (?, ?, ?, ?, ?);

-- token_get: Whose it is, and until when.
SELECT account, expires_at FROM tokens WHERE token = ? AND kind = ?;

-- token_expire: Ends one token.
UPDATE tokens SET expires_at = ? WHERE token = ?;

-- tokens_expire: Ends all access tokens of an account that are in force.
UPDATE tokens SET expires_at = ?1 WHERE account = ?2 AND kind = 'access' AND (expires_at IS NULL OR expires_at > ?1);

-- token_newest: The newest token of an account and kind, whether or not it is in force.
SELECT token FROM tokens WHERE account = ? AND kind = ? ORDER BY issued_at DESC, rowid DESC LIMIT 1;

-- id_last: The highest id that was given.
SELECT max(id) FROM (SELECT max(id) AS id FROM posts UNION ALL SELECT max(id) FROM media);

-- post_add: A new post.
INSERT INTO posts (id, account, text, reply_to, conversation, media, created_at) VALUES (?, ?, ?, ?, ?, ?, ?);

-- post_get: One post that was not deleted.
SELECT id, account, text, reply_to, conversation, media, created_at FROM posts WHERE id = ? AND NOT is_deleted;

-- post_delete: Deletes a post.
UPDATE posts SET is_deleted = 1 WHERE id = ?;

-- post_same: A post of the account with the same text since a time.
SELECT id FROM posts WHERE account = ? AND text = ? AND created_at > ? AND NOT is_deleted LIMIT 1;

-- posts_newest: The posts of an account between two ids and two times, the newest first, perhaps without replies.
SELECT id, account, text, reply_to, conversation, media, created_at FROM posts
WHERE account = ? AND id > ? AND id < ? AND created_at >= ? AND created_at < ? AND NOT is_deleted
  AND (reply_to IS NULL OR ?)
ORDER BY id DESC LIMIT ?;

-- posts_oldest: The same, the oldest first.
SELECT id, account, text, reply_to, conversation, media, created_at FROM posts
WHERE account = ? AND id > ? AND id < ? AND created_at >= ? AND created_at < ? AND NOT is_deleted
  AND (reply_to IS NULL OR ?)
ORDER BY id LIMIT ?;

-- posts_count: How many posts an account has.
SELECT count(*) FROM posts WHERE account = ? AND NOT is_deleted;

-- media_open: A media whose content is still to come.
INSERT INTO media (id, account, category, type, size, created_at) VALUES (?, ?, ?, ?, ?, ?);

-- media_complete: Its content came.
UPDATE media SET type = ?, size = ?, width = ?, height = ?, content = ?, failure = ?, ready_at = ? WHERE id = ?;

-- media_get: One media, without its content.
SELECT id, account, category, type, size, width, height, alt_text, content IS NOT NULL, failure, created_at, ready_at
FROM media WHERE id = ?;

-- media_describe: What a media shows, in words.
UPDATE media SET alt_text = ? WHERE id = ?;

-- media_content: Its content.
SELECT content, type FROM media WHERE id = ?;

-- segment_put: A part of a media; what came twice counts once.
INSERT OR REPLACE INTO segments (media, position, content) VALUES (?, ?, ?);

-- segments_all: The parts of a media, in order.
SELECT position, content FROM segments WHERE media = ? ORDER BY position;

-- segments_drop: Parts that are put together are no longer needed.
DELETE FROM segments WHERE media = ?;

-- window_get: When a window began, and how much of it is used.
SELECT started_at, used FROM windows WHERE account = ? AND operation = ? AND seconds = ?;

-- window_put: A window that began anew, or was used.
INSERT OR REPLACE INTO windows (account, operation, seconds, started_at, used) VALUES (?, ?, ?, ?, ?);
