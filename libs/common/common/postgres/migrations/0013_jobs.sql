-- Jobs: what each was asked, what became of each run, and lists of a million of them.

ALTER TABLE jobs
    ADD error_class text,         -- of last_error
    ADD due_at      timestamptz,  -- of a queued job: when it may run again; before that a message of it is put off
    ADD ack_subject text,         -- of a queued job: where the message is answered that waits for that time at the server
    ADD trouble     text;         -- the status once more, as soon as a run did not simply succeed; NULL while none did
UPDATE jobs SET trouble = status, error_class = substring(last_error FROM '^(\w+):')
WHERE last_error IS NOT NULL OR attempts > 1 OR status IN ('queued', 'failed', 'cancelled');

-- Room for the second version of every row of a page, as whole groups of jobs end at once; so no index has to be told.
ALTER TABLE jobs SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05);

-- Lists merge the newest jobs of each consumer, so that a filter by queue or consumer reads no other rows. What changes
-- with every job must not be in an index: then its end would write to all of them (it would be no HOT update:
-- https://www.postgresql.org/docs/current/storage-hot.html). `trouble` does not change on the way of a job that simply
-- succeeds, and finds all others by their status; nor does `error_class`. What is in progress is found by its lease:
-- BRIN indexes are exempt, and a page range is summarised by VACUUM, when most of its jobs have ended long ago.
DROP INDEX jobs_created;
CREATE INDEX jobs_listed ON jobs (queue, consumer, created_at);
CREATE INDEX jobs_troubled ON jobs (trouble, queue, consumer, created_at, error_class) WHERE trouble IS NOT NULL;
CREATE INDEX jobs_leased ON jobs USING brin (lease_until) WITH (pages_per_range = 16);

-- Under which keys that index has jobs, found by leaps: there are dozens. The planner looks into it.
CREATE FUNCTION jobs_kinds_troubled() RETURNS TABLE (trouble text, queue text, consumer text) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE kinds AS (
        (SELECT trouble, queue, consumer FROM jobs WHERE trouble IS NOT NULL ORDER BY trouble, queue, consumer LIMIT 1)
        UNION ALL
        SELECT following.* FROM kinds CROSS JOIN LATERAL (
            SELECT j.trouble, j.queue, j.consumer FROM jobs j
            WHERE j.trouble IS NOT NULL AND (j.trouble, j.queue, j.consumer) > (kinds.trouble, kinds.queue, kinds.consumer)
            ORDER BY j.trouble, j.queue, j.consumer LIMIT 1) AS following
    )
    SELECT * FROM kinds
$$;
COMMENT ON FUNCTION jobs_kinds_troubled IS 'owner: common. Each status, queue and consumer of jobs that did not simply succeed.';

-- The planner knows nothing of where the few leases lie, and would rather read the whole table than that index.
CREATE FUNCTION jobs_in_progress() RETURNS SETOF jobs LANGUAGE sql STABLE SET enable_seqscan = off AS $$
    SELECT * FROM jobs WHERE lease_until IS NOT NULL AND status = 'in_progress'
$$;
COMMENT ON FUNCTION jobs_in_progress IS 'owner: common. All jobs under way, also those whose worker died.';

CREATE TABLE job_messages (
    consumer text        NOT NULL,
    event_id text        NOT NULL,
    payload  bytea       NOT NULL,  -- as it arrived
    headers  text        NOT NULL,  -- a JSON object, without those of the NATS server
    sequence bigint      NOT NULL,  -- in its stream
    kept_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX job_messages_kept ON job_messages USING brin (kept_at);  -- what is old is in old pages
COMMENT ON TABLE job_messages IS 'owner: every consumer, its own rows. The message that each job was made of, beside it: '
    'jobs stay narrow, and messages can be forgotten earlier.';

CREATE TABLE job_attempts (
    consumer    text        NOT NULL,
    event_id    text        NOT NULL,
    attempt     integer     NOT NULL,  -- jobs.attempts at that time
    started_at  timestamptz,           -- NULL: it crashed, and nobody knows any more
    ended_at    timestamptz NOT NULL DEFAULT now(),
    outcome     text        NOT NULL CHECK (outcome IN ('failed', 'retry', 'skipped', 'drained', 'crashed', 'cancelled')),
    error_class text,
    error       text,
    PRIMARY KEY (consumer, event_id, attempt)
);
CREATE INDEX job_attempts_ended ON job_attempts USING brin (ended_at);
COMMENT ON TABLE job_attempts IS 'owner: every consumer, its own rows. Each run of a job that did not simply succeed; one '
    'that did is told by the job itself.';
