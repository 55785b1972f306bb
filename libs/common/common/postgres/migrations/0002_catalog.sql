-- Configuration: written by the api and the command line, read by the workers.

CREATE TABLE sources (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    kind          text        NOT NULL CHECK (kind IN ('telegram', 'feed', 'import')),
    address       text        NOT NULL,   -- @channel, a feed's URL, or the name of an import
    title         text        NOT NULL DEFAULT '',
    enabled       boolean     NOT NULL DEFAULT true,
    schedule      text,                   -- cron, five fields, UTC; NULL: only live events and requests
    allow_private boolean     NOT NULL DEFAULT false,  -- feeds: addresses in private networks
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, address)
);
COMMENT ON TABLE sources IS 'owner: api. Where posts come from.';

CREATE TABLE profiles (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    name         text        NOT NULL UNIQUE,
    style        text        NOT NULL DEFAULT '',
    language     text        NOT NULL DEFAULT '',   -- BCP 47; empty: the language of the post
    max_length   integer     NOT NULL DEFAULT 4096 CHECK (max_length BETWEEN 16 AND 4096),  -- UTF-16 code units
    keep         text[]      NOT NULL DEFAULT '{links,facts,quotes}',
    instructions text        NOT NULL DEFAULT '',
    model        text        NOT NULL DEFAULT '',   -- empty: the service's default
    created_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE profiles IS 'owner: api. How posts are rewritten.';

CREATE TABLE destinations (
    address       text        PRIMARY KEY,          -- telegram:@channel
    title         text        NOT NULL DEFAULT '',
    posts_per_hour integer    CHECK (posts_per_hour > 0),  -- NULL: the platform's default
    created_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE destinations IS 'owner: api. Where posts go, and how fast.';

CREATE TABLE routes (
    id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    name       text        NOT NULL UNIQUE,
    source_id  uuid        REFERENCES sources ON DELETE CASCADE,  -- NULL: every source
    profile_id uuid        NOT NULL REFERENCES profiles,
    targets    text[]      NOT NULL CHECK (cardinality(targets) > 0),
    approval   boolean     NOT NULL DEFAULT false,
    illustrate boolean     NOT NULL DEFAULT false,
    enabled    boolean     NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX routes_source ON routes (source_id);
COMMENT ON TABLE routes IS 'owner: api. Source, rewrite profile, targets.';
