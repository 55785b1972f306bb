-- People who use the panel, their sessions, and what each service finds right or wrong with itself.

CREATE TABLE users (
    id          uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    login       text        NOT NULL UNIQUE CHECK (login = lower(login)),
    name        text        NOT NULL,
    role        text        NOT NULL CHECK (role IN ('viewer', 'editor', 'admin')),  -- each includes the ones before it
    language    text        CHECK (language IN ('en', 'ru')),                        -- NULL: the browser's, until a sign-in
    time_zone   text,                                                                -- likewise; a name of the IANA's
    theme       text        NOT NULL DEFAULT 'auto' CHECK (theme IN ('auto', 'light', 'dark')),
    shortcuts   boolean     NOT NULL DEFAULT true,   -- whether single keys do something
    password    text        NOT NULL,                -- argon2id, with its parameters and salt
    password_at timestamptz NOT NULL DEFAULT now(),
    created_by  text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,                         -- NULL: may sign in
    seen_at     timestamptz                          -- to the minute
);
CREATE INDEX users_listed ON users (created_at, id);
COMMENT ON TABLE users IS 'owner: api; written through common.users. Who may use the panel, and how far.';

CREATE TABLE user_sessions (
    id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    digest     bytea       NOT NULL UNIQUE,          -- SHA-256 of the secret, which is random enough to need no salt
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at    timestamptz NOT NULL DEFAULT now(),   -- to the minute
    address    text        NOT NULL,
    agent      text        NOT NULL
);
CREATE INDEX user_sessions_user ON user_sessions (user_id, created_at);
COMMENT ON TABLE user_sessions IS 'owner: api; written through common.users. Browsers that are signed in.';

CREATE TABLE sign_in_attempts (
    key           bytea       PRIMARY KEY,           -- SHA-256 of what is counted: a login or an address
    attempts      integer     NOT NULL,              -- since one succeeded
    last_at       timestamptz NOT NULL DEFAULT now(),
    blocked_until timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sign_in_attempts_last ON sign_in_attempts (last_at);
COMMENT ON TABLE sign_in_attempts IS 'owner: api. How long a login or an address waits; forgotten after a day.';

CREATE TABLE setup_codes (
    digest     bytea       PRIMARY KEY,              -- SHA-256
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE setup_codes IS 'owner: api. What makes the first administrator, once; gone from then on.';

CREATE INDEX audit_log_actor ON audit_log (actor, at, id);

ALTER TABLE service_beats
    ADD COLUMN checks  jsonb NOT NULL DEFAULT '{}',  -- by name: what is wrong, or null
    ADD COLUMN version text  NOT NULL DEFAULT '';
