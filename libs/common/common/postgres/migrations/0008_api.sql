-- The REST API: who may call it, what was asked and answered, what was decided by hand, and who is told by webhook.

CREATE TABLE api_tokens (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    name         text        NOT NULL,
    digest       bytea       NOT NULL UNIQUE,        -- SHA-256 of the token, which is random enough to need no salt
    scope        text        NOT NULL CHECK (scope IN ('read', 'write', 'admin')),  -- each includes the ones before it
    created_by   text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,                        -- NULL: never
    revoked_at   timestamptz,
    last_used_at timestamptz                         -- to the minute
);
CREATE UNIQUE INDEX api_tokens_name ON api_tokens (name) WHERE revoked_at IS NULL;
COMMENT ON TABLE api_tokens IS 'owner: api; written through common.tokens. Who may call the API, and how far.';

CREATE TABLE idempotency_keys (
    token_id   uuid        NOT NULL REFERENCES api_tokens ON DELETE CASCADE,
    key        text        NOT NULL,                 -- the Idempotency-Key header
    method     text        NOT NULL,
    path       text        NOT NULL,
    request    bytea       NOT NULL,                 -- SHA-256 of the query and the body
    status     integer     NOT NULL,
    headers    jsonb       NOT NULL,
    body       bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (token_id, key, method, path)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
COMMENT ON TABLE idempotency_keys IS 'owner: api. What was answered to requests that may be repeated; kept for a day.';

CREATE TABLE audit_log (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    actor      text        NOT NULL,                 -- token:NAME, or cli:USER
    action     text        NOT NULL,                 -- create_source, approve_post, …
    object     text        NOT NULL,                 -- the path of the resource, such as /api/v1/sources/…
    before     jsonb,
    after      jsonb,
    request_id text
);
CREATE INDEX audit_log_listed ON audit_log (at, id);
CREATE INDEX audit_log_object ON audit_log (object);
COMMENT ON TABLE audit_log IS 'owner: api. Who changed what, and when.';

CREATE TABLE post_edits (
    id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    post_id    uuid        NOT NULL REFERENCES posts,
    rewrite_id uuid        REFERENCES rewrites,      -- NULL: in place of the original
    title      text        NOT NULL DEFAULT '',
    text       text        NOT NULL,
    entities   jsonb       NOT NULL DEFAULT '[]',
    edited_by  text        NOT NULL,
    edited_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX post_edits_post ON post_edits (post_id, edited_at);
COMMENT ON TABLE post_edits IS
    'owner: api. What people wrote in place of a post or of a rewrite of it; the latest is what is published.';

CREATE TABLE webhooks (
    id          uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    url         text        NOT NULL,
    description text        NOT NULL DEFAULT '',
    events      text[]      NOT NULL CHECK (cardinality(events) > 0),
    secret      text        NOT NULL,                -- whsec_…; it signs, so it can't be a digest
    enabled     boolean     NOT NULL DEFAULT true,
    disabled_reason text,                            -- why we disabled it ourselves
    created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE webhooks IS 'owner: api. Who is told of events over HTTP.';

CREATE TABLE webhook_deliveries (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),  -- becomes webhook-id: the same in every attempt
    webhook_id   uuid        NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    event        text        NOT NULL,               -- publish.result, …
    event_id     text        NOT NULL,
    body         text        NOT NULL,               -- exactly what is signed and sent
    status       text        NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts     integer     NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL DEFAULT now(),
    holder       uuid,
    lease_until  timestamptz,
    last_status  integer,                            -- of HTTP
    last_error   text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    UNIQUE (webhook_id, event_id)
) WITH (fillfactor = 80);
CREATE INDEX webhook_deliveries_of_webhook ON webhook_deliveries (webhook_id, due_at) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_sending ON webhook_deliveries (webhook_id)
    WHERE status = 'pending' AND lease_until IS NOT NULL;
CREATE INDEX webhook_deliveries_listed ON webhook_deliveries (webhook_id, created_at, id);
COMMENT ON TABLE webhook_deliveries IS 'owner: api. What webhooks are told, and how that went; kept for 30 days.';

-- What the lists of the API read in order, ties included: an import brings any number of posts at one time.
CREATE INDEX jobs_created ON jobs (created_at);
CREATE INDEX images_listed ON images (created_at, hash);
CREATE INDEX userbot_tasks_listed ON userbot_tasks (created_at, id);
CREATE INDEX notifications_listed ON notifications (last_at, id);
DROP INDEX notifications_recent;
CREATE INDEX posts_listed ON posts (collected_at, id);
DROP INDEX posts_collected;
CREATE INDEX posts_words ON posts USING gin (to_tsvector('russian', title || ' ' || left(text, 50000)));
CREATE INDEX posts_of_source ON posts (source_id, collected_at, id);
CREATE INDEX notifications_post ON notifications (post_id) WHERE post_id IS NOT NULL;

-- A person's decision about a post that a route holds. Returns what is to be published; no row where nothing is held (any
-- more), so that of two decisions the first one counts.
ALTER TABLE routings ADD COLUMN decided_by text;     -- NULL: the route itself
COMMENT ON TABLE routings IS 'owner: scheduler; people decide through decide_routing(). What was decided for a post of a '
    'route: publish now, hold for a person, wait for its image, or reject.';

CREATE FUNCTION decide_routing(post uuid, route uuid, verdict text, person text, because text)
RETURNS TABLE (route_id uuid, rewrite_id uuid, targets text[])
LANGUAGE sql AS $$
    UPDATE routings AS r
    SET decision = verdict, decided_by = person, decided_at = now(),
        reason = CASE WHEN because = '' THEN r.reason ELSE because END
    WHERE r.post_id = post AND (route IS NULL OR r.route_id = route) AND r.decision = 'hold'
    RETURNING r.route_id, r.rewrite_id, r.targets
$$;
COMMENT ON FUNCTION decide_routing IS 'owner: scheduler. A person''s decision about what a route holds.';

-- Calls off what is queued of a post and not sent. The publisher ends its packages; whoever takes a publication on at the
-- same moment is first or second, never both.
CREATE FUNCTION cancel_publications(post uuid, person text) RETURNS TABLE (destination text)
LANGUAGE sql AS $$
    UPDATE publications AS p
    SET status = 'cancelled', finished_at = now(), due_at = now(), last_error = 'called off by ' || person
    WHERE p.post_id = post AND p.status = 'queued'
    RETURNING p.destination
$$;
COMMENT ON FUNCTION cancel_publications IS 'owner: publisher. Calls off what is queued of a post.';
