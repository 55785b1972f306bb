-- Dead letters and bulk operations.

CREATE TABLE dead_letters (
    number      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- how people name a letter
    consumer    text        NOT NULL,
    event_id    text        NOT NULL,
    queue       text        NOT NULL,
    stream      text        NOT NULL,                -- where its message lay, with `sequence`; the letter itself lies
    sequence    bigint      NOT NULL,                -- in DEADLETTER under dlq.<stream>.<consumer>.<sequence>
    subject     text        NOT NULL,                -- of the message
    post_id     uuid,
    attempts    integer     NOT NULL,
    error_class text        NOT NULL,
    error       text        NOT NULL,
    fingerprint text        NOT NULL,                -- what the occurrences of one error have in common
    died_at     timestamptz NOT NULL DEFAULT now(),
    edited_at   timestamptz,
    edited_by   text,
    UNIQUE (stream, consumer, sequence)              -- handler and server may both give a message up
);
-- Lists run by time, newest first, and filter as they go: a group is found by its fingerprint, a job by its event, a
-- post's letters by the post. There are thousands after a storm, not millions: no index serves the other filters.
CREATE INDEX dead_letters_listed ON dead_letters (died_at, number);
CREATE INDEX dead_letters_group ON dead_letters (fingerprint, number);
CREATE INDEX dead_letters_job ON dead_letters (consumer, event_id);
CREATE INDEX dead_letters_post ON dead_letters (post_id) WHERE post_id IS NOT NULL;
COMMENT ON TABLE dead_letters IS 'owner: every consumer, its own rows, written with the end of the job. What is known of '
    'each message in the stream DEADLETTER, for lists and groups.';

-- What lists, groups and operations choose letters by; NULL leaves a filter out. `containing` is looked for in the error
-- without regard to case. The planner looks into it: it is no barrier to the indexes.
CREATE FUNCTION dead_letters_matching(
    of_consumer text, of_queue text, of_fingerprint text, of_class text, containing text, of_post uuid,
    died_from timestamptz, died_until timestamptz, numbered bigint[]
) RETURNS SETOF dead_letters LANGUAGE sql STABLE AS $$
    SELECT * FROM dead_letters
    WHERE (of_consumer IS NULL OR consumer = of_consumer) AND (of_queue IS NULL OR queue = of_queue)
      AND (of_fingerprint IS NULL OR fingerprint = of_fingerprint) AND (of_class IS NULL OR error_class = of_class)
      AND (containing IS NULL OR strpos(lower(error), lower(containing)) > 0) AND (of_post IS NULL OR post_id = of_post)
      AND (died_from IS NULL OR died_at >= died_from) AND (died_until IS NULL OR died_at < died_until)
      AND (numbered IS NULL OR number = ANY(numbered))
$$;
COMMENT ON FUNCTION dead_letters_matching IS 'owner: common.messaging. The letters that match a filter.';

CREATE TABLE bulk_operations (
    id          uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    kind        text        NOT NULL,                -- dead_letters.replay, jobs.cancel, …
    filter      jsonb       NOT NULL,                -- of what is to be done it to
    reason      text        NOT NULL DEFAULT '',     -- what people say why
    status      text        NOT NULL DEFAULT 'pending'
                            CHECK (status IN ('pending', 'running', 'done', 'failed', 'cancelled')),
    total       bigint      NOT NULL,                -- how many matched when it was asked for
    done        bigint      NOT NULL DEFAULT 0,
    refused     bigint      NOT NULL DEFAULT 0,
    refusals    jsonb       NOT NULL DEFAULT '[]',   -- the first of them: {"key": …, "reason": …}
    position    text,                                -- the last key that was dealt with
    step        text[]      NOT NULL DEFAULT '{}',   -- the keys under way: done once more after a death
    error       text,                                -- why it failed
    created_by  text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),  -- what came into being later is left alone
    started_at  timestamptz,
    finished_at timestamptz,
    cancelled_by text,                               -- who wants it to stop
    holder      uuid,
    lease_until timestamptz
);
CREATE INDEX bulk_operations_open ON bulk_operations (created_at) WHERE status IN ('pending', 'running');
CREATE INDEX bulk_operations_listed ON bulk_operations (created_at, id);
COMMENT ON TABLE bulk_operations IS
    'owner: common.operations, whoever runs it. What people do to all jobs or dead letters that match a filter.';
