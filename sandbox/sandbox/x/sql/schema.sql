-- One file holds the whole of the sandbox's X. Times are Unix seconds.

CREATE TABLE IF NOT EXISTS tokens (
    token      TEXT PRIMARY KEY,
    account    INTEGER NOT NULL,
    kind       TEXT NOT NULL,              -- access or refresh
    issued_at  REAL NOT NULL,
    expires_at REAL                        -- NULL: never
);

CREATE TABLE IF NOT EXISTS posts (
    id           INTEGER PRIMARY KEY,      -- a snowflake, in the order of time
    account      INTEGER NOT NULL,
    text         TEXT NOT NULL,            -- as it was given
    reply_to     INTEGER,
    conversation INTEGER NOT NULL,         -- the first post of the thread
    media        TEXT NOT NULL,            -- a JSON array of ids
    created_at   REAL NOT NULL,
    is_deleted   INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX IF NOT EXISTS posts_of_an_account ON posts (account, id);

CREATE TABLE IF NOT EXISTS media (
    id         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL,
    category   TEXT NOT NULL,              -- tweet_image, tweet_gif or tweet_video
    type       TEXT NOT NULL,              -- a MIME type
    size       INTEGER NOT NULL,           -- in bytes, as announced, then as it came
    width      INTEGER NOT NULL DEFAULT 0,
    height     INTEGER NOT NULL DEFAULT 0,
    alt_text   TEXT NOT NULL DEFAULT '',
    content    BLOB,                       -- NULL: not yet complete
    failure    TEXT NOT NULL DEFAULT '',   -- why it ends as failed
    created_at REAL NOT NULL,
    ready_at   REAL NOT NULL DEFAULT 0     -- until then it is processed
);

CREATE TABLE IF NOT EXISTS segments (
    media    INTEGER NOT NULL REFERENCES media (id),
    position INTEGER NOT NULL,
    content  BLOB NOT NULL,
    PRIMARY KEY (media, position)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS windows (
    account    INTEGER NOT NULL,
    operation  TEXT NOT NULL,
    seconds    INTEGER NOT NULL,           -- how long the window is
    started_at REAL NOT NULL,
    used       INTEGER NOT NULL,
    PRIMARY KEY (account, operation, seconds)
) WITHOUT ROWID;
