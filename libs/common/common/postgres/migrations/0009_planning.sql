-- Planning: contents written from a brief, posts that wait for their time, and rules that make both by themselves.

CREATE TABLE contents (
    id          uuid        PRIMARY KEY,
    post_id     uuid        NOT NULL UNIQUE REFERENCES posts,  -- its text is the brief; what is published is a rewrite of it
    title       text        NOT NULL,
    description text        NOT NULL DEFAULT '',
    profile_id  uuid        REFERENCES profiles,
    illustrate  boolean     NOT NULL DEFAULT false,
    rule_id     uuid,
    created_by  text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz
);
CREATE INDEX contents_created ON contents (created_at, id);
COMMENT ON TABLE contents IS 'owner: api; the scheduler adds those of rules. Briefs that a post is written from.';

ALTER TABLE rewrites ALTER COLUMN route_id DROP NOT NULL;    -- NULL: written from a brief
ALTER TABLE rewrites ALTER COLUMN profile_id DROP NOT NULL;  -- NULL: the brief named none

-- A content's status follows from what the other stages wrote; `reason` says why it failed. One that is created and still
-- gets its image `awaits_image`, and is not published before the image was made, or failed.
CREATE VIEW content_states AS
SELECT c.id AS content_id, c.post_id,
       CASE WHEN c.deleted_at IS NOT NULL THEN 'deleted'
            WHEN EXISTS (SELECT FROM rewrites r WHERE r.post_id = c.post_id AND r.status = 'succeeded')
              OR EXISTS (SELECT FROM post_edits e WHERE e.post_id = c.post_id) THEN 'created'
            WHEN failure.reason IS NOT NULL THEN 'failed'
            ELSE 'requested' END AS status,
       failure.reason,
       c.illustrate AND coalesce(written.text, '') <> ''
           AND NOT EXISTS (SELECT FROM illustrations i WHERE i.post_id = c.post_id AND i.rewrite_id = written.id)
           AND NOT EXISTS (SELECT FROM jobs j WHERE j.post_id = c.post_id AND j.consumer = 'imagegen'
                           AND j.status IN ('failed', 'cancelled')) AS awaits_image
FROM contents c
LEFT JOIN LATERAL (
    SELECT id, text FROM rewrites r
    WHERE r.post_id = c.post_id AND r.status = 'succeeded' ORDER BY r.created_at DESC LIMIT 1) AS written ON true
LEFT JOIN LATERAL (
    SELECT reason FROM (
        SELECT coalesce(r.reason, 'the model refused') AS reason, r.created_at AS at FROM rewrites r
        WHERE r.post_id = c.post_id AND r.status = 'refused'
        UNION ALL
        SELECT coalesce(j.last_error, 'its job failed'), j.finished_at FROM jobs j
        WHERE j.post_id = c.post_id AND j.consumer = 'rewriter-contents' AND j.status IN ('failed', 'cancelled')
    ) AS told ORDER BY at DESC NULLS LAST LIMIT 1) AS failure ON true;
COMMENT ON VIEW content_states IS 'owner: common. Whether a content is requested, created, failed or deleted.';

CREATE TABLE scheduled_posts (
    id             uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    post_id        uuid        NOT NULL REFERENCES posts,
    content_id     uuid        REFERENCES contents,
    rewrite_id     uuid,                             -- NULL: the newest when it is due
    route_id       uuid,
    rule_id        uuid,
    platform       text        NOT NULL,
    target         text        NOT NULL,             -- platform:address
    scheduled_time timestamptz NOT NULL,
    status         text        NOT NULL DEFAULT 'scheduled'
                   CHECK (status IN ('scheduled', 'publishing', 'published', 'failed', 'cancelled')),
    due_at         timestamptz NOT NULL,             -- scheduled_time, or when it is tried again
    attempts       integer     NOT NULL DEFAULT 0,   -- publish requests that failed
    request_id     text        UNIQUE,               -- the id of the last publish.requested event
    message_ids    bigint[]    NOT NULL DEFAULT '{}',
    url            text,
    last_error     text,
    slot_key       text        UNIQUE,               -- of a slot or of a rule's run: it is taken once
    version        integer     NOT NULL DEFAULT 1,
    created_by     text        NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    published_at   timestamptz
) WITH (fillfactor = 80);
CREATE INDEX scheduled_posts_due ON scheduled_posts (due_at) WHERE status = 'scheduled';
CREATE INDEX scheduled_posts_waiting ON scheduled_posts (target, due_at, created_at, id) WHERE status = 'scheduled';
CREATE INDEX scheduled_posts_publishing ON scheduled_posts (target, updated_at) WHERE status = 'publishing';
CREATE INDEX scheduled_posts_target ON scheduled_posts (target, scheduled_time);
CREATE INDEX scheduled_posts_content ON scheduled_posts (content_id) WHERE content_id IS NOT NULL;
CREATE INDEX scheduled_posts_listed ON scheduled_posts (scheduled_time, id);
CREATE INDEX scheduled_posts_post ON scheduled_posts (post_id);
CREATE INDEX scheduled_posts_rule ON scheduled_posts (rule_id) WHERE rule_id IS NOT NULL;
CREATE UNIQUE INDEX scheduled_posts_open ON scheduled_posts (post_id, target) WHERE status IN ('scheduled', 'publishing');
COMMENT ON TABLE scheduled_posts IS
    'owner: scheduler; people plan through common.planning while a post is scheduled. Posts that wait for their time.';

-- Whoever sleeps until the next post is due is woken when that may have changed.
CREATE FUNCTION tell_scheduled_posts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('scheduled_posts', '');  -- equal notices of one transaction are one
    RETURN NULL;
END $$;
CREATE TRIGGER scheduled_posts_added AFTER INSERT ON scheduled_posts
    FOR EACH STATEMENT EXECUTE FUNCTION tell_scheduled_posts();
CREATE TRIGGER scheduled_posts_changed AFTER UPDATE OF due_at ON scheduled_posts
    FOR EACH STATEMENT EXECUTE FUNCTION tell_scheduled_posts();

CREATE TABLE auto_posting_rules (
    id                uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    name              text        NOT NULL UNIQUE,
    schedule_type     text        NOT NULL CHECK (schedule_type IN ('once', 'interval', 'daily', 'weekly', 'cron')),
    schedule_config   jsonb       NOT NULL,
    content_config    jsonb       NOT NULL,          -- title, description, profile, illustrate
    platforms         text[]      NOT NULL CHECK (cardinality(platforms) > 0),  -- a platform, or platform:address
    is_active         boolean     NOT NULL DEFAULT true,
    next_execution_at timestamptz,                   -- moved on by the scheduler; NULL: there is none
    version           integer     NOT NULL DEFAULT 1,
    created_by        text        NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX auto_posting_rules_due ON auto_posting_rules (next_execution_at) WHERE is_active;
COMMENT ON TABLE auto_posting_rules IS 'owner: api; the scheduler writes next_execution_at. Rules that make posts by themselves.';

CREATE FUNCTION tell_auto_posting_rules() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('auto_posting_rules', '');
    RETURN NULL;
END $$;
CREATE TRIGGER auto_posting_rules_changed AFTER INSERT OR UPDATE ON auto_posting_rules
    FOR EACH STATEMENT EXECUTE FUNCTION tell_auto_posting_rules();

CREATE TABLE rule_executions (
    rule_id     uuid        NOT NULL REFERENCES auto_posting_rules ON DELETE CASCADE,
    slot        timestamptz NOT NULL,                -- the time that it is for: no rule runs twice for one
    asked_by    text,                                -- NULL: the clock
    status      text        NOT NULL CHECK (status IN ('succeeded', 'failed')),
    content_id  uuid        REFERENCES contents,
    error       text,
    executed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (rule_id, slot)
);
COMMENT ON TABLE rule_executions IS 'owner: scheduler. The runs of each rule.';

ALTER TABLE destinations ADD COLUMN is_default boolean NOT NULL DEFAULT false;  -- of its platform
CREATE UNIQUE INDEX destinations_default ON destinations (split_part(address, ':', 1)) WHERE is_default;

-- A new default takes the place of the old one.
CREATE FUNCTION replace_default_destination() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE destinations SET is_default = false
    WHERE is_default AND address <> NEW.address AND split_part(address, ':', 1) = split_part(NEW.address, ':', 1);
    RETURN NEW;
END $$;
CREATE TRIGGER destinations_default_replaced BEFORE INSERT OR UPDATE OF is_default ON destinations
    FOR EACH ROW WHEN (NEW.is_default) EXECUTE FUNCTION replace_default_destination();

CREATE TABLE worker_beats (
    worker    text        NOT NULL,                  -- ScheduledPostsWorker, …
    replica   uuid        NOT NULL,
    running   boolean     NOT NULL,                  -- false: switched off by DISABLE_WORKERS
    last_beat timestamptz NOT NULL DEFAULT now(),
    next_run  timestamptz,                           -- when it looks again at the latest
    PRIMARY KEY (worker, replica)
);
COMMENT ON TABLE worker_beats IS 'owner: scheduler. Signs of life of its workers, one row per replica.';

ALTER TABLE routes ADD COLUMN slots jsonb;           -- {"timezone": …, "times": {"1": ["09:00"], …}, "minimum_distance_minutes": 0}
ALTER TABLE routes ADD COLUMN approval_expires_hours double precision CHECK (approval_expires_hours > 0);
COMMENT ON COLUMN routes.slots IS 'when posts of this route go out, by ISO weekday; NULL: at once';
