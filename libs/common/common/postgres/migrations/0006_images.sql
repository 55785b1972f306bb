-- Images and other files of posts: what the object store holds, and what of it is attached to posts.

CREATE TABLE images (
    hash         text        PRIMARY KEY CHECK (hash ~ '^[0-9a-f]{64}$'),  -- SHA-256 of the content
    object       text        NOT NULL UNIQUE,        -- its name in the bucket `images`: the hash, and what tells storings apart
    origin       text        NOT NULL CHECK (origin IN ('source', 'generated')),
    mime_type    text        NOT NULL,
    size_bytes   bigint      NOT NULL CHECK (size_bytes > 0),
    width        integer,                            -- pixels; NULL: no picture
    height       integer,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(), -- stored again or detached: from here on it is kept for a while
    detached_at  timestamptz                         -- NULL: it never was
);
CREATE INDEX images_last_used ON images (last_used_at);
COMMENT ON TABLE images IS 'owner: imagegen; kept through common.media. What the object store holds, by content.';

-- Deleting an image that is attached fails, and attaching one that is deleted fails: whichever comes second.
CREATE TABLE attachments (
    post_id     uuid        NOT NULL REFERENCES posts ON DELETE CASCADE,
    place       text        NOT NULL,  -- source/1, rewrite/<id>, post, publication/<id>/1, broadcast/<id>/1
    hash        text        NOT NULL REFERENCES images,
    attached_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (post_id, place)
);
CREATE INDEX attachments_hash ON attachments (hash);
COMMENT ON TABLE attachments IS 'owner: imagegen; written through attach_images(). Which post has which image.';

-- Attaches images to places of posts; what was at a place before is detached. Raises foreign_key_violation for an image
-- that is not there (any more).
CREATE FUNCTION attach_images(post_ids uuid[], places text[], hashes text[]) RETURNS void
LANGUAGE sql AS $$
    WITH given AS (
        SELECT DISTINCT ON (post_id, place) post_id, place, hash
        FROM unnest(post_ids, places, hashes) WITH ORDINALITY AS g (post_id, place, hash, n)
        ORDER BY post_id, place, n DESC
    ), replaced AS (
        UPDATE images SET last_used_at = now(), detached_at = now()
        WHERE hash IN (SELECT a.hash FROM attachments a JOIN given USING (post_id, place) WHERE a.hash <> given.hash)
    )
    INSERT INTO attachments AS a (post_id, place, hash) SELECT post_id, place, hash FROM given
    ON CONFLICT (post_id, place) DO UPDATE SET hash = excluded.hash, attached_at = now() WHERE a.hash <> excluded.hash
$$;

CREATE TABLE image_deletions (
    id                bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash              text        NOT NULL,
    object            text        NOT NULL,
    origin            text,
    mime_type         text,
    size_bytes        bigint,
    reason            text        NOT NULL CHECK (reason IN ('unused', 'outdated', 'requested', 'orphan')),
    deleted_by        text        NOT NULL,
    deleted_at        timestamptz NOT NULL DEFAULT now(),
    object_deleted_at timestamptz               -- NULL: the object is still to be deleted
);
CREATE INDEX image_deletions_open ON image_deletions (id) WHERE object_deleted_at IS NULL;
COMMENT ON TABLE image_deletions IS 'owner: imagegen; written through common.media. What was deleted from the object store, and why.';

CREATE TABLE illustrations (
    id            text          PRIMARY KEY,        -- the id of the image.requested event
    post_id       uuid          NOT NULL REFERENCES posts,
    rewrite_id    uuid,                             -- NULL: for the post, whatever rewrite of it is published
    prompt        text          NOT NULL,
    model         text          NOT NULL,
    size          text          NOT NULL,           -- as the endpoint was asked: 1024x1024
    status        text          NOT NULL CHECK (status IN ('generated', 'failed')),
    hash          text,                             -- of the image; it may have been deleted since
    reason        text,                             -- of a failure
    attempts      integer       NOT NULL,
    input_tokens  integer       NOT NULL DEFAULT 0,
    output_tokens integer       NOT NULL DEFAULT 0,
    cost_usd      numeric(12, 6) NOT NULL DEFAULT 0,
    duration_ms   integer       NOT NULL DEFAULT 0, -- of the last call
    created_at    timestamptz   NOT NULL DEFAULT now()
);
CREATE INDEX illustrations_post ON illustrations (post_id);
COMMENT ON TABLE illustrations IS 'owner: imagegen. What came of each request for an image, and what it cost.';

CREATE TABLE media_fetches (
    post_id    uuid        NOT NULL REFERENCES posts ON DELETE CASCADE,
    position   integer     NOT NULL,
    hash       text,                   -- of the image or file; NULL where it could not be fetched
    problem    text,                   -- why not, or what was changed
    fetched_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (post_id, position)
);
COMMENT ON TABLE media_fetches IS 'owner: collector. What came of fetching the media of posts.';

ALTER TABLE post_media ADD COLUMN details jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN post_media.details IS 'name, width, height (pixels), duration_seconds: what the source says of a file';

-- As before, with `details`.
CREATE OR REPLACE FUNCTION add_posts(incoming jsonb)
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
        INSERT INTO post_media (post_id, position, kind, reference, mime_type, size_bytes, content_hash, details)
        SELECT brought.id, m.n, m.item->>'kind', m.item->'reference', coalesce(m.item->>'mime_type', ''),
               (m.item->>'size_bytes')::bigint, m.item->>'content_hash', coalesce(m.item->'details', '{}')
        FROM brought JOIN rows USING (id)
        CROSS JOIN LATERAL jsonb_array_elements(coalesce(rows.p->'media', '[]')) WITH ORDINALITY AS m(item, n)
    )
    SELECT rows.id, coalesce(brought.duplicate_of, old.duplicate_of), brought.id IS NOT NULL
    FROM rows LEFT JOIN brought USING (id) LEFT JOIN posts old ON old.id = rows.id ORDER BY rows.n;
END $$;

ALTER TABLE routes ADD COLUMN image_required boolean NOT NULL DEFAULT false;  -- without its image a post is held
ALTER TABLE routings DROP CONSTRAINT routings_decision_check;
ALTER TABLE routings ADD CONSTRAINT routings_decision_check
    CHECK (decision IN ('publish', 'hold', 'illustrate', 'reject', 'schedule'));
