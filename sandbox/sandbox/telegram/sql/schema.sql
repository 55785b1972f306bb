-- One file holds the whole of the sandbox's Telegram. A chat's id is "marked" as in the Bot API
-- (https://core.telegram.org/api/bots/ids): a user's is positive, a basic group's -id, a channel's -100id.

CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS users (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL,
    phone    TEXT UNIQUE,
    username TEXT UNIQUE COLLATE NOCASE,
    secret   TEXT NOT NULL DEFAULT '',     -- what follows the colon of a bot's token; people have none
    password BLOB                          -- salt1, salt2 and SRP verifier of the two-factor password
);

CREATE TABLE IF NOT EXISTS auth_keys (
    id      INTEGER PRIMARY KEY,           -- the lower 64 bits of SHA1(key), signed
    key     BLOB NOT NULL,
    user_id INTEGER REFERENCES users (id), -- NULL: nobody has signed in with it
    dead    TEXT NOT NULL DEFAULT '',      -- the error that every call gets from now on
    label   TEXT NOT NULL DEFAULT ''       -- the name of a session that the sandbox made itself
);

CREATE TABLE IF NOT EXISTS chats (
    id         INTEGER PRIMARY KEY,
    kind       TEXT NOT NULL,
    title      TEXT NOT NULL,
    username   TEXT UNIQUE COLLATE NOCASE,
    owner_id   INTEGER NOT NULL REFERENCES users (id),
    created    INTEGER NOT NULL,
    slow_mode  INTEGER NOT NULL DEFAULT 0, -- seconds
    noforwards INTEGER NOT NULL DEFAULT 0,
    read_only  INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS migrations (    -- basic groups that became supergroups
    chat_id INTEGER PRIMARY KEY,
    became  INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS standings (     -- who is what in a chat
    chat_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    role    TEXT NOT NULL,                 -- member, admin, muted, banned
    PRIMARY KEY (chat_id, user_id)
) WITHOUT ROWID;

-- A message box counts its own message ids and its own pts (https://core.telegram.org/api/updates): each channel has
-- one, and each user has one for private chats and basic groups.
CREATE TABLE IF NOT EXISTS boxes (
    id       INTEGER PRIMARY KEY,          -- the user's or the channel's id
    last_id  INTEGER NOT NULL,
    pts      INTEGER NOT NULL,
    from_pts INTEGER NOT NULL,             -- events up to this pts are not on record
    messages INTEGER NOT NULL              -- how many there are now
);

CREATE TABLE IF NOT EXISTS messages (
    box        INTEGER NOT NULL,
    id         INTEGER NOT NULL,
    chat_id    INTEGER NOT NULL,           -- the channel, the group, or the other person
    sender_id  INTEGER NOT NULL,
    date       REAL NOT NULL,
    edit_date  REAL,
    text       TEXT NOT NULL,
    entities   BLOB,                       -- bare TL objects, one after the other
    entity_count INTEGER NOT NULL DEFAULT 0,
    media      BLOB,
    markup     BLOB,
    forward    BLOB,
    reply_to   INTEGER,
    grouped_id INTEGER,
    noforwards INTEGER NOT NULL DEFAULT 0,
    origin     INTEGER NOT NULL,           -- the same in every member's copy of one message
    PRIMARY KEY (box, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS messages_of_private_chats ON messages (box, chat_id, id) WHERE box > 0;
CREATE INDEX IF NOT EXISTS messages_copies ON messages (origin) WHERE box > 0;

CREATE TABLE IF NOT EXISTS events (        -- what getDifference and getChannelDifference answer from
    box        INTEGER NOT NULL,
    pts        INTEGER NOT NULL,
    kind       TEXT NOT NULL,              -- new, edit, delete
    message_id INTEGER NOT NULL,
    date       REAL NOT NULL,
    PRIMARY KEY (box, pts)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS random_ids (
    user_id    INTEGER NOT NULL,
    random_id  INTEGER NOT NULL,
    box        INTEGER NOT NULL,
    chat_id    INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    PRIMARY KEY (user_id, random_id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS file_parts (
    user_id INTEGER NOT NULL,
    file_id INTEGER NOT NULL,
    part    INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (user_id, file_id, part)
);

CREATE TABLE IF NOT EXISTS files (
    id      INTEGER PRIMARY KEY,
    content BLOB NOT NULL,
    media   BLOB NOT NULL                  -- the MessageMedia it was sent as
);
