-- How the queues stood, minute by minute: what the panel draws.

CREATE TABLE queue_history (
    queue   text        NOT NULL,
    minute  timestamptz NOT NULL,
    backlog bigint      NOT NULL,  -- all that was still to be done, also behind the queue
    PRIMARY KEY (queue, minute)
);
COMMENT ON TABLE queue_history IS 'owner: api. How much each queue had to do, minute by minute, for a day.';

-- What each stage did in a window, beside 0020.
CREATE INDEX routings_decided ON routings USING brin (decided_at) WITH (pages_per_range = 32, autosummarize = on);
