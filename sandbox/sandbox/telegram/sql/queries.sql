-- meta_get: A value kept under a name.
SELECT value FROM meta WHERE name = ?;

-- meta_put: Keep a value under a name.
INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?);

-- users_all: Everybody, at the start.
SELECT id, name, phone, username, secret, password FROM users ORDER BY id;

-- user_add: A new user or bot.
INSERT INTO users (id, name, phone, username, secret) VALUES (?, ?, ?, ?, ?);

-- user_password: The verifier of the two-factor password.
UPDATE users SET password = ? WHERE id = ?;

-- keys_all: Every authorisation key, at the start.
SELECT key, user_id, dead, label FROM auth_keys;

-- key_put: A new key, or what became of it.
INSERT OR REPLACE INTO auth_keys (id, key, user_id, dead, label) VALUES (?, ?, ?, ?, ?);

-- chats_all: Every chat, at the start.
SELECT id, kind, title, username, owner_id, created, slow_mode, noforwards, read_only FROM chats ORDER BY id DESC;

-- migrations_all: Which groups became which, at the start.
SELECT chat_id, became FROM migrations;

-- migration_add: A group became another one.
INSERT INTO migrations (chat_id, became) VALUES (?, ?);

-- chat_add: A new chat.
INSERT INTO chats (id, kind, title, username, owner_id, created) VALUES (?, ?, ?, ?, ?, ?);

-- chat_change: Its settings.
UPDATE chats SET title = ?, username = ?, slow_mode = ?, noforwards = ?, read_only = ? WHERE id = ?;

-- standings_all: Who is what in which chat, at the start.
SELECT chat_id, user_id, role FROM standings;

-- standing_set: What a user is in a chat.
INSERT OR REPLACE INTO standings (chat_id, user_id, role) VALUES (?, ?, ?);

-- standing_end: A user is no longer in a chat.
DELETE FROM standings WHERE chat_id = ? AND user_id = ?;

-- boxes_all: The counters of every message box, at the start.
SELECT id, last_id, pts, from_pts, messages FROM boxes;

-- box_put: The counters of a box.
INSERT OR REPLACE INTO boxes (id, last_id, pts, from_pts, messages) VALUES (?, ?, ?, ?, ?);

-- event_add: Something that happened in a box.
INSERT INTO events (box, pts, kind, message_id, date) VALUES (?, ?, ?, ?, ?);

-- events_after: What happened in a box since a pts.
SELECT pts, kind, message_id FROM events WHERE box = ? AND pts > ? ORDER BY pts LIMIT ?;

-- last_event: When something last happened in a box.
SELECT date FROM events WHERE box = ? ORDER BY pts DESC LIMIT 1;

-- message_add: A message, or one person's copy of it.
INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- message_edit: A message's new content.
UPDATE messages SET text = ?, entities = ?, entity_count = ?, media = ?, markup = ?, edit_date = ?
WHERE box = ? AND id = ?;

-- message_delete: A message, or one person's copy of it.
DELETE FROM messages WHERE box = ? AND id = ?;

-- message_get: One message by its id.
SELECT * FROM messages WHERE box = ? AND id = ?;

-- message_copies: The copies of one message in everybody's box.
SELECT * FROM messages WHERE origin = ? AND box > 0;

-- messages_before: A channel's messages with smaller ids, newest first.
SELECT * FROM messages WHERE box = ? AND id < ? AND id > ? ORDER BY id DESC LIMIT ?;

-- messages_after: A channel's messages with ids from here on, oldest first.
SELECT * FROM messages WHERE box = ? AND id >= ? AND id < ? ORDER BY id LIMIT ?;

-- chat_messages_before: The same for one chat in a user's box.
SELECT * FROM messages WHERE box = ? AND box > 0 AND chat_id = ? AND id < ? AND id > ? ORDER BY id DESC LIMIT ?;

-- chat_messages_after: The same for one chat in a user's box.
SELECT * FROM messages WHERE box = ? AND box > 0 AND chat_id = ? AND id >= ? AND id < ? ORDER BY id LIMIT ?;

-- last_before: The newest message of a channel that is older than a date.
SELECT max(id) FROM messages WHERE box = ? AND date < ?;

-- chat_last_before: The same for one chat in a user's box.
SELECT max(id) FROM messages WHERE box = ? AND box > 0 AND chat_id = ? AND date < ?;

-- chat_messages_count: How many messages one chat has in a user's box.
SELECT count(*) FROM messages WHERE box = ? AND box > 0 AND chat_id = ?;

-- correspondents: The people and basic groups that a user's box holds messages of.
SELECT DISTINCT chat_id FROM messages WHERE box = ? AND box > 0;

-- last_of_sender: When somebody last wrote in a channel, of late.
SELECT date FROM messages WHERE box = ? AND sender_id = ? AND date > ? ORDER BY id DESC LIMIT 1;

-- random_id_get: The message that a random_id was used for.
SELECT box, chat_id, message_id FROM random_ids WHERE user_id = ? AND random_id = ?;

-- random_id_add: A random_id that was used.
INSERT INTO random_ids (user_id, random_id, box, chat_id, message_id) VALUES (?, ?, ?, ?, ?);

-- part_put: A part of a file that is being uploaded.
INSERT OR REPLACE INTO file_parts (user_id, file_id, part, content) VALUES (?, ?, ?, ?);

-- parts_of: The parts of an uploaded file in their order.
SELECT part, content FROM file_parts WHERE user_id = ? AND file_id = ? ORDER BY part;

-- parts_end: The parts were put together.
DELETE FROM file_parts WHERE user_id = ? AND file_id = ?;

-- file_add: A file.
INSERT INTO files (id, content, media) VALUES (?, ?, ?);

-- file_media: How a file was sent.
SELECT media FROM files WHERE id = ?;

-- file_slice: Some bytes of a file.
SELECT substr(content, ?, ?) FROM files WHERE id = ?;

-- file_last: The newest file's id.
SELECT max(id) FROM files;
