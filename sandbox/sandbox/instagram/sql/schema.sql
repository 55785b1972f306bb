-- One file holds the whole of the sandbox's Instagram. Times are Unix seconds.

CREATE TABLE IF NOT EXISTS tokens (
    token      TEXT PRIMARY KEY,
    account    INTEGER NOT NULL,
    issued_at  REAL NOT NULL,
    expires_at REAL                        -- NULL: never
);

CREATE TABLE IF NOT EXISTS containers (
    id         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL,
    kind       TEXT NOT NULL,              -- IMAGE or CAROUSEL_ALBUM
    caption    TEXT NOT NULL,
    alt_text   TEXT NOT NULL,
    is_child   INTEGER NOT NULL,           -- 1: to be shown in a carousel only
    children   TEXT NOT NULL,              -- a JSON array of containers' ids, in order
    content    BLOB,                       -- the picture, a JPEG as it is shown
    failure    INTEGER,                    -- the subcode of the error that it ends with
    created_at REAL NOT NULL,
    ready_at   REAL NOT NULL               -- until then it is in progress
);

CREATE TABLE IF NOT EXISTS media (
    id           INTEGER PRIMARY KEY,
    container    INTEGER NOT NULL UNIQUE REFERENCES containers (id),
    account      INTEGER NOT NULL,
    album        INTEGER REFERENCES media (id), -- what is in a carousel names it
    published_at REAL NOT NULL
);

CREATE INDEX IF NOT EXISTS media_of_an_account ON media (account, id) WHERE album IS NULL;
CREATE INDEX IF NOT EXISTS media_of_an_album ON media (album);
