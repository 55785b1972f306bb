-- Checks of sources: what is to be read at an address, before it is a source and after.

CREATE TABLE source_checks (
    id            uuid        PRIMARY KEY,
    kind          text        NOT NULL CHECK (kind IN ('telegram', 'feed')),
    address       text        NOT NULL,
    allow_private boolean     NOT NULL DEFAULT false,
    asked_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- What the collector finds, and only it writes:
    answered_at   timestamptz,
    finding       jsonb       -- of collector.check.Finding: problem and detail, or title, what, posts, newest
);
CREATE INDEX source_checks_asked ON source_checks (asked_at);
COMMENT ON TABLE source_checks IS 'owner: api; the collector writes what it finds. Looks at addresses, kept for a day.';

CREATE TABLE source_runs (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id  uuid        NOT NULL REFERENCES sources ON DELETE CASCADE,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    brought    integer     NOT NULL DEFAULT 0,
    duplicates integer     NOT NULL DEFAULT 0,   -- of what it brought
    error      text
);
CREATE INDEX source_runs_latest ON source_runs (source_id, at DESC, id DESC);
COMMENT ON TABLE source_runs IS 'owner: collector. Runs that brought something or failed, kept for a week.';
