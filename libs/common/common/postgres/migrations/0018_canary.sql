-- The canary, and what verification found.

ALTER TABLE sources DROP CONSTRAINT sources_kind_check,
    ADD CONSTRAINT sources_kind_check CHECK (kind IN ('telegram', 'feed', 'import', 'canary'));

CREATE TABLE canary_runs (
    post_id    uuid        PRIMARY KEY REFERENCES posts,  -- the marked post
    target     text        NOT NULL,                      -- the private destination that it goes to
    limit_seconds float8   NOT NULL,                      -- what takes longer is late
    sent_at    timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    outcome    text        CHECK (outcome IN ('published', 'failed', 'late')),  -- NULL: under way
    detail     text        NOT NULL DEFAULT '',
    CHECK ((outcome IS NULL) = (ended_at IS NULL))
);
CREATE INDEX canary_runs_sent ON canary_runs (sent_at);
COMMENT ON TABLE canary_runs IS 'owner: scheduler. Marked posts that go all the way, so that the whole is seen to work.';

CREATE TABLE verifications (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    balanced   boolean     NOT NULL,
    findings   integer     NOT NULL,                      -- strays and contradictions
    mended     integer     NOT NULL DEFAULT 0,
    report     jsonb       NOT NULL
);
CREATE INDEX verifications_at ON verifications (at);
COMMENT ON TABLE verifications IS 'owner: scheduler. What each verification of the ledger found.';
