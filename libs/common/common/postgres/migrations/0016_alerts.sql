-- Alerts, and who is told of what.

CREATE TABLE alerts (
    id              uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    fingerprint     text        NOT NULL,            -- queue_failures/rewrite_queue, service_gone/userbot, …
    kind            text        NOT NULL,            -- queue_failures, queue_oldest, service_gone, worker_gone, …
    severity        text        NOT NULL CHECK (severity IN ('warning', 'error')),
    title           text        NOT NULL,
    detail          text        NOT NULL DEFAULT '',
    count           bigint      NOT NULL DEFAULT 1,  -- of what is wrong, since it began
    status          text        NOT NULL DEFAULT 'firing' CHECK (status IN ('firing', 'resolved')),
    since           timestamptz NOT NULL DEFAULT now(),
    last_at         timestamptz NOT NULL DEFAULT now(),  -- when a check found it last
    resolved_at     timestamptz,
    acknowledged_by text,                            -- a person who has seen it; changes nothing else
    acknowledged_at timestamptz,
    notification_id uuid        NOT NULL,            -- the one that says that it fires
    CHECK ((status = 'resolved') = (resolved_at IS NOT NULL))
);
-- Of one thing one alert fires at a time, whoever watches.
CREATE UNIQUE INDEX alerts_firing ON alerts (fingerprint) WHERE status = 'firing';
CREATE INDEX alerts_listed ON alerts (since, id);
COMMENT ON TABLE alerts IS 'owner: api. What is wrong, or was: one row from when it began until it was over.';

ALTER TABLE notifications ADD COLUMN read_at timestamptz, ADD COLUMN read_by text;
COMMENT ON COLUMN notifications.read_at IS 'when a person marked it; what is counted into it later is unread again';
CREATE INDEX notifications_unread ON notifications (last_at, id) WHERE read_at IS NULL;

CREATE TABLE notification_deliveries (
    notification_id uuid        NOT NULL REFERENCES notifications ON DELETE CASCADE,
    channel         text        NOT NULL,            -- email, webhooks, …
    status          text        NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'told', 'failed')),
    count           integer     NOT NULL,            -- what there is to tell
    count_told      integer     NOT NULL DEFAULT 0,  -- what was told of it
    tellings        integer     NOT NULL DEFAULT 0,  -- messages that told of it
    attempts        integer     NOT NULL DEFAULT 0,  -- of the message that is due next
    due_at          timestamptz NOT NULL,            -- later and later while more comes, …
    latest_at       timestamptz NOT NULL,            -- … but the first message goes out by then
    holder          uuid,
    lease_until     timestamptz,
    last_error      text,
    told_at         timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (notification_id, channel)
) WITH (fillfactor = 80);
-- What is looked for every moment: it holds only what is still to be told.
CREATE INDEX notification_deliveries_due ON notification_deliveries (channel, due_at) WHERE status = 'pending';
COMMENT ON TABLE notification_deliveries IS
    'owner: api. By which channel a notification is told, and how that goes; goes with its notification.';
