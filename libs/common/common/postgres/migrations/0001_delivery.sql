-- The ledger of all work and the outbox: one message, one transaction, acknowledged last.

CREATE TABLE jobs (
    consumer    text        NOT NULL,
    event_id    text        NOT NULL,
    queue       text        NOT NULL,
    subject     text        NOT NULL,
    post_id     uuid,
    status      text        NOT NULL CHECK (status IN ('queued', 'in_progress', 'succeeded', 'failed', 'cancelled')),
    attempts    integer     NOT NULL DEFAULT 1,  -- claims; also the fence: only the newest claim may commit
    excused     integer     NOT NULL DEFAULT 0,  -- claims that don't count: Retry, drains
    crashes     integer     NOT NULL DEFAULT 0,  -- claims whose holder died
    holder      uuid,
    lease_until timestamptz,
    last_error  text,
    trace_id    text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (consumer, event_id)
) WITH (fillfactor = 80);  -- room for the update at the end of a job in the same page
CREATE INDEX jobs_post ON jobs (post_id) WHERE post_id IS NOT NULL;
COMMENT ON TABLE jobs IS 'owner: every consumer, its own rows. The inbox and the ledger of all work.';

CREATE TABLE outbox (
    id         text        PRIMARY KEY,  -- becomes Nats-Msg-Id
    consumer   text        NOT NULL,
    cause_id   text        NOT NULL,
    subject    text        NOT NULL,
    headers    text        NOT NULL,     -- JSON object
    payload    bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_cause ON outbox (consumer, cause_id);
COMMENT ON TABLE outbox IS 'owner: every consumer, its own rows. Events that are committed and not yet acknowledged by their stream.';

CREATE TABLE leases (
    name       text        PRIMARY KEY,
    holder     uuid        NOT NULL,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE leases IS 'owner: whoever holds it. One holder per Telegram session and per lane.';

CREATE TABLE service_beats (
    service    text        NOT NULL,
    replica    uuid        NOT NULL,
    address    text        NOT NULL,  -- of its health endpoint
    started_at timestamptz NOT NULL DEFAULT now(),
    beat_at    timestamptz NOT NULL DEFAULT now(),
    ready      boolean     NOT NULL,
    detail     text        NOT NULL DEFAULT '',
    PRIMARY KEY (service, replica)
);
COMMENT ON TABLE service_beats IS 'owner: every service, its own row. Signs of life.';
