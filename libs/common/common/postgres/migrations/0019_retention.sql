-- Retention: what was forgotten because of its age.

CREATE TABLE retention_runs (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    kind       text        NOT NULL,                      -- jobs, notifications, payloads, …
    older_than timestamptz NOT NULL,
    deleted    bigint      NOT NULL
);
CREATE INDEX retention_runs_at ON retention_runs (at);
COMMENT ON TABLE retention_runs IS 'owner: api. What was forgotten because of its age, and how much of it.';
