-- Log records: what services ship over the stream LOGS, kept so that it can be searched.

CREATE TABLE log_batches (
    id      text        PRIMARY KEY,                 -- of the message; the stream may deliver one twice
    kept_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE log_batches IS 'owner: api. Which messages of the stream LOGS are in log_records; kept as long as these.';

CREATE TABLE log_records (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- in the order of arrival
    at       timestamptz NOT NULL,                   -- when it was said
    service  text        NOT NULL,
    level    text        NOT NULL CHECK (level IN ('debug', 'info', 'warning', 'error', 'critical')),
    event    text        NOT NULL,
    post_id  uuid,
    job_id   text,                                   -- <consumer>/<event id>
    trace_id text,
    fields   jsonb       NOT NULL,                   -- everything else
    searched text        NOT NULL                    -- event, error, traceback: where a search looks
);
CREATE INDEX log_records_listed ON log_records (at, id);
-- What has a job, a trace or a post is dozens of records: they are found by equality and sorted then. Hashes are small,
-- whatever the length of the key, and this table is written far more often than it is read.
CREATE INDEX log_records_post ON log_records USING hash (post_id) WHERE post_id IS NOT NULL;
CREATE INDEX log_records_job ON log_records USING hash (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX log_records_trace ON log_records USING hash (trace_id) WHERE trace_id IS NOT NULL;
-- Most records tell of a job that went well. What did not is looked for, among all of those.
CREATE INDEX log_records_serious ON log_records (at, id) WHERE level IN ('warning', 'error', 'critical');
COMMENT ON TABLE log_records IS 'owner: api. What services logged as serious, and a record of each job that ended; kept '
    'for LOGS_KEEP_DAYS.';

-- Any part of a text is found by its trigrams, where the server has the extension and lets us have it; else by looking
-- at each record of the time in question. https://www.postgresql.org/docs/current/pgtrgm.html
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
        CREATE INDEX log_records_searched ON log_records USING gin (searched gin_trgm_ops);
    END IF;
EXCEPTION WHEN insufficient_privilege OR undefined_object THEN  -- not ours to make, or in a schema of its own
    RAISE NOTICE 'pg_trgm can''t be used: text in logs is searched without an index';
END
$$;
