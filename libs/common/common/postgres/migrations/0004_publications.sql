-- Publishing: packages of publications, sent by one lane per destination.

CREATE TABLE publish_packages (
    id           text        PRIMARY KEY,            -- the id of the publish.requested event
    post_id      uuid        NOT NULL REFERENCES posts,
    rewrite_id   uuid,
    status       text        NOT NULL CHECK (status IN ('queued', 'in_progress', 'succeeded', 'failed', 'cancelled')),
    reason       text,
    failure      text,                               -- set while it is being rolled back: why
    skipped      jsonb       NOT NULL DEFAULT '[]',  -- targets that were left out, as in publish.result
    traceparent  text,
    requested_at timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz
);
CREATE INDEX publish_packages_post ON publish_packages (post_id);
CREATE INDEX publish_packages_open ON publish_packages (requested_at) WHERE finished_at IS NULL;
COMMENT ON TABLE publish_packages IS 'owner: publisher. One publish request: all its targets stand or fall together.';

CREATE TABLE publications (
    id           uuid        PRIMARY KEY,            -- uuid5(post, destination)
    package_id   text        NOT NULL REFERENCES publish_packages,
    post_id      uuid        NOT NULL REFERENCES posts,
    destination  text        NOT NULL,               -- telegram:@channel
    position     bigint      NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
                                                     -- the order within a lane: when it was requested, in µs
    status       text        NOT NULL
                 CHECK (status IN ('queued', 'in_progress', 'succeeded', 'failed', 'cancelled', 'unknown')),
    text         text        NOT NULL,
    entities     jsonb       NOT NULL DEFAULT '[]',
    media        jsonb       NOT NULL DEFAULT '[]',
    generation   integer     NOT NULL DEFAULT 0,     -- rises when it was taken back, or by a person's decision
    random_ids   bigint[]    NOT NULL DEFAULT '{}',  -- one per part, stored before the first send
    message_ids  bigint[]    NOT NULL DEFAULT '{}',
    url          text,
    attempts     integer     NOT NULL DEFAULT 0,     -- sends that failed; waits don't count
    due_at       timestamptz NOT NULL DEFAULT now(),
    first_try_at timestamptz,                        -- of this generation: bounds how long a repeat is safe
    last_known_message_id bigint,                    -- in the chat, before the first try: where to look for a lost answer
    take_back    boolean     NOT NULL DEFAULT false, -- it was sent, and is to be deleted as its package failed
    last_error   text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    UNIQUE (post_id, destination)
) WITH (fillfactor = 80);
CREATE INDEX publications_queued ON publications (destination, position) WHERE status = 'queued';
CREATE INDEX publications_in_progress ON publications (destination, position) WHERE status = 'in_progress';
CREATE INDEX publications_sent ON publications (destination, finished_at) WHERE status = 'succeeded';
CREATE INDEX publications_take_back ON publications (due_at) WHERE take_back;
CREATE INDEX publications_package ON publications (package_id);
COMMENT ON TABLE publications IS 'owner: publisher. One per post and target.';

-- What makes a send idempotent (https://core.telegram.org/method/messages.sendMessage): 63 bits of SHA-256 of
-- publication, generation and part, positive and never 0, one for each part.
CREATE FUNCTION send_random_ids(publication uuid, generation integer, parts integer) RETURNS bigint[]
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT array_agg(greatest(1, ('x' || left(encode(sha256(convert_to(format('%s/%s/%s', publication, generation, part),
                                                                     'UTF8')), 'hex'), 16))::bit(64)::bigint
                                 & 9223372036854775807) ORDER BY part)
    FROM generate_series(0, parts - 1) AS part
$$;

CREATE TABLE pacing (
    key           text        PRIMARY KEY,           -- a destination or an account
    arrival       timestamptz NOT NULL,              -- GCRA: the theoretical arrival time of the next one
    blocked_until timestamptz                        -- what the platform told us to wait
);
COMMENT ON TABLE pacing IS 'owner: whoever sends. The pace per destination and account, shared by all replicas.';

CREATE TABLE telegram_sessions (
    name       text        PRIMARY KEY,              -- publisher, collector, …
    session    bytea       NOT NULL,                 -- encrypted with a key derived from the credentials it belongs to
    account_id bigint,
    signed_in_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE telegram_sessions IS 'owner: the service of that name. Sessions, so that a restart does not sign in again.';

CREATE TABLE telegram_peers (
    account_id  bigint      NOT NULL,                -- an access hash is valid for one account only
    address     text        NOT NULL,                -- @name, or a numeric id
    kind        text        NOT NULL CHECK (kind IN ('user', 'chat', 'channel')),
    peer_id     bigint      NOT NULL,
    access_hash bigint      NOT NULL,
    title       text        NOT NULL DEFAULT '',
    resolved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, address)
);
COMMENT ON TABLE telegram_peers IS 'owner: the service that resolved it. Names that need not be asked for again.';

CREATE TABLE notifications (
    id          uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    fingerprint text        NOT NULL,
    kind        text        NOT NULL,
    severity    text        NOT NULL CHECK (severity IN ('info', 'warning', 'error')),
    title       text        NOT NULL,
    detail      text        NOT NULL DEFAULT '',
    post_id     uuid,
    count       integer     NOT NULL DEFAULT 1,
    first_at    timestamptz NOT NULL DEFAULT now(),
    last_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX notifications_recent ON notifications (last_at);
COMMENT ON TABLE notifications IS 'owner: api. What people were told; a storm of equal ones is one row with a count.';

CREATE TABLE notification_folds (
    fingerprint     text        PRIMARY KEY,
    notification_id uuid        NOT NULL,            -- the row that further ones are folded into
    last_at         timestamptz NOT NULL
);
COMMENT ON TABLE notification_folds IS 'owner: api. Which notification is still open, by fingerprint.';
