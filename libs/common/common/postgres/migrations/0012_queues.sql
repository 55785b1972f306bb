-- Queues under control: settings that change at run time, and what each replica does with them.

CREATE TABLE runtime_settings (
    name       text        PRIMARY KEY,              -- rewrite_queue.concurrency
    value      jsonb       NOT NULL,
    reason     text        NOT NULL DEFAULT '',
    changed_by text        NOT NULL,                 -- token:NAME, or cli:USER
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE runtime_settings IS
    'owner: api; written through common.queues. What holds in place of the environment and of the defaults.';

-- Only the primary key: it has as many rows as there are replicas and durables, and each is written every three seconds,
-- so that an index over anything that changes would only cost.
CREATE TABLE queue_replicas (
    service   text             NOT NULL,
    replica   uuid             NOT NULL,
    durable   text             NOT NULL,
    queue     text             NOT NULL,
    settings  jsonb            NOT NULL,             -- by name: {"value", "origin": default, environment or changed}
    holding   boolean          NOT NULL,             -- it starts nothing, as the queue is paused
    in_flight integer          NOT NULL,             -- handlers and sends that run
    rate      double precision NOT NULL,             -- jobs that ended per second, in the last minute
    seen_at   timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (replica, durable)
) WITH (fillfactor = 50);
COMMENT ON TABLE queue_replicas IS
    'owner: every service, its own rows. How each replica works on its queues, told with its beat.';

COMMENT ON TABLE queue_pauses IS 'owner: api; written through common.queues. Queues that stand still, with all that is behind them.';
