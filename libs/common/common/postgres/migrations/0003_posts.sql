-- Content: insert-only, one table per stage. Nobody updates another stage's row.

CREATE TABLE posts (
    id           uuid        PRIMARY KEY,           -- uuid5(source, external id, revision)
    source_id    uuid        REFERENCES sources,    -- NULL: written by hand, for a publish request with its own text
    external_id  text        NOT NULL,              -- the id it has where it comes from
    revision     integer     NOT NULL DEFAULT 0,
    url          text,
    title        text        NOT NULL DEFAULT '',
    text         text        NOT NULL,
    entities     jsonb       NOT NULL DEFAULT '[]', -- offsets and lengths in UTF-16 code units
    posted_at    timestamptz,                       -- when it was posted at its source
    collected_at timestamptz NOT NULL DEFAULT now(),
    content_key  bytea,                             -- NULL: too short to be told apart by content
    duplicate_of uuid        REFERENCES posts,
    trace_id     text
);
CREATE UNIQUE INDEX posts_origin ON posts (source_id, external_id, revision);
CREATE INDEX posts_collected ON posts (collected_at);
COMMENT ON TABLE posts IS 'owner: collector; brought through add_posts(). What came in.';

CREATE TABLE post_media (
    post_id      uuid    NOT NULL REFERENCES posts ON DELETE CASCADE,
    position     integer NOT NULL,
    kind         text    NOT NULL,   -- photo, video, document, …
    reference    jsonb   NOT NULL,   -- where it can be fetched: {"url": …} or {"chat": …, "message_id": …}
    mime_type    text    NOT NULL DEFAULT '',
    size_bytes   bigint,
    content_hash text,               -- what tells equal media apart: a SHA-256, or the platform's own unique id
    PRIMARY KEY (post_id, position)
);
COMMENT ON TABLE post_media IS 'owner: collector; brought through add_posts(). Photos, albums and documents of a post.';

CREATE TABLE content_identities (
    content_key bytea PRIMARY KEY,
    post_id     uuid  NOT NULL
);
COMMENT ON TABLE content_identities IS 'owner: collector; written by add_posts(). The first post that had this content.';

-- Brings posts, each given as a JSON object with the columns of `posts` and `media`, an array of those of `post_media`.
-- A post that is there already stays as it is. Of equal content the first post wins, across sources and across
-- transactions: a concurrent one waits on the primary key of content_identities and then sees who came first.
CREATE FUNCTION add_posts(incoming jsonb)
RETURNS TABLE (post_id uuid, original uuid, added boolean)
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO content_identities (content_key, post_id)
    SELECT DISTINCT ON (decode(p->>'content_key', 'hex')) decode(p->>'content_key', 'hex'), (p->>'id')::uuid
    FROM jsonb_array_elements(incoming) WITH ORDINALITY AS i(p, n)
    WHERE p->>'content_key' IS NOT NULL AND NOT EXISTS (SELECT FROM posts WHERE posts.id = (p->>'id')::uuid)
    ORDER BY decode(p->>'content_key', 'hex'), n
    ON CONFLICT DO NOTHING;

    RETURN QUERY
    WITH rows AS (
        SELECT DISTINCT ON ((p->>'id')::uuid) (p->>'id')::uuid AS id, p, n
        FROM jsonb_array_elements(incoming) WITH ORDINALITY AS i(p, n) ORDER BY (p->>'id')::uuid, n
    ), brought AS (
        INSERT INTO posts AS new (id, source_id, external_id, revision, url, title, text, entities, posted_at,
                                  content_key, duplicate_of, trace_id)
        SELECT rows.id, (p->>'source_id')::uuid, p->>'external_id', coalesce((p->>'revision')::int, 0), p->>'url',
               coalesce(p->>'title', ''), p->>'text', coalesce(p->'entities', '[]'), (p->>'posted_at')::timestamptz,
               decode(p->>'content_key', 'hex'), nullif(known.post_id, rows.id), p->>'trace_id'
        FROM rows LEFT JOIN content_identities known ON known.content_key = decode(p->>'content_key', 'hex')
        ORDER BY n
        ON CONFLICT DO NOTHING
        RETURNING new.id, new.duplicate_of
    ), media AS (
        INSERT INTO post_media (post_id, position, kind, reference, mime_type, size_bytes, content_hash)
        SELECT brought.id, m.n, m.item->>'kind', m.item->'reference', coalesce(m.item->>'mime_type', ''),
               (m.item->>'size_bytes')::bigint, m.item->>'content_hash'
        FROM brought JOIN rows USING (id)
        CROSS JOIN LATERAL jsonb_array_elements(coalesce(rows.p->'media', '[]')) WITH ORDINALITY AS m(item, n)
    )
    SELECT rows.id, coalesce(brought.duplicate_of, old.duplicate_of), brought.id IS NOT NULL
    FROM rows LEFT JOIN brought USING (id) LEFT JOIN posts old ON old.id = rows.id ORDER BY rows.n;
END $$;

CREATE TABLE source_states (
    source_id       uuid        PRIMARY KEY REFERENCES sources ON DELETE CASCADE,
    last_message_id bigint      NOT NULL DEFAULT 0,  -- Telegram: read up to here
    etag            text,
    last_modified   text,
    last_run_at     timestamptz,
    last_success_at timestamptz,
    last_error      text,
    failures        integer     NOT NULL DEFAULT 0   -- in a row
);
COMMENT ON TABLE source_states IS 'owner: collector. How far each source is read, and how the last run went.';

CREATE TABLE rewrites (
    id                uuid        PRIMARY KEY,
    post_id           uuid        NOT NULL REFERENCES posts,
    route_id          uuid        NOT NULL,
    profile_id        uuid        NOT NULL,
    status            text        NOT NULL CHECK (status IN ('succeeded', 'refused')),
    reason            text,                          -- of a refusal
    title             text        NOT NULL DEFAULT '',
    text              text        NOT NULL DEFAULT '',
    entities          jsonb       NOT NULL DEFAULT '[]',
    hashtags          text[]      NOT NULL DEFAULT '{}',
    language          text        NOT NULL DEFAULT '',
    image_prompt      text        NOT NULL DEFAULT '',
    model             text        NOT NULL,
    request           jsonb       NOT NULL,
    answer            jsonb       NOT NULL,
    prompt_tokens     integer     NOT NULL,
    completion_tokens integer     NOT NULL,
    cost_usd          numeric(12, 6) NOT NULL,
    duration_ms       integer     NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX rewrites_post ON rewrites (post_id);
CREATE INDEX rewrites_recent ON rewrites (route_id, created_at) WHERE status = 'succeeded';
COMMENT ON TABLE rewrites IS 'owner: rewriter. What the model made of a post, and what it cost.';

CREATE TABLE routings (
    post_id    uuid        NOT NULL REFERENCES posts,
    route_id   uuid        NOT NULL,
    rewrite_id uuid        NOT NULL,
    decision   text        NOT NULL CHECK (decision IN ('publish', 'hold')),
    reason     text        NOT NULL DEFAULT '',
    targets    text[]      NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (post_id, route_id)
);
COMMENT ON TABLE routings IS 'owner: scheduler. What a route decided for a post: publish now, or hold for a person.';
