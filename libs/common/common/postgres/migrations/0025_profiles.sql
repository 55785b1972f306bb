-- Profiles: their versions, and trials of them on past posts. Pages of images by time, and what a model made them from.

ALTER TABLE profiles ADD COLUMN version integer NOT NULL DEFAULT 1;

CREATE TABLE profile_versions (
    profile_id   uuid        NOT NULL,              -- no reference: what was rewritten with it outlives the profile
    version      integer     NOT NULL,
    name         text        NOT NULL,
    style        text        NOT NULL,
    language     text        NOT NULL,
    max_length   integer     NOT NULL,
    keep         text[]      NOT NULL,
    instructions text        NOT NULL,
    model        text        NOT NULL,
    created_by   text        NOT NULL,              -- who wrote it; where nobody said so, the database's user
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (profile_id, version)
);
COMMENT ON TABLE profile_versions IS 'owner: api; written by the triggers on profiles. What each profile has ever said.';

INSERT INTO profile_versions (profile_id, version, name, style, language, max_length, keep, instructions, model,
                              created_by, created_at)
SELECT id, version, name, style, language, max_length, keep, instructions, model, 'postroom migrate', created_at
FROM profiles;

-- Whoever writes a profile, a file or a person: what is different is a new version. Only a trigger can't be forgotten.
CREATE FUNCTION number_profile() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.version := 1;
    ELSE
        NEW.version := OLD.version + CASE
            WHEN (NEW.name, NEW.style, NEW.language, NEW.max_length, NEW.keep, NEW.instructions, NEW.model)
                 IS DISTINCT FROM
                 (OLD.name, OLD.style, OLD.language, OLD.max_length, OLD.keep, OLD.instructions, OLD.model)
            THEN 1 ELSE 0 END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER profiles_numbered BEFORE INSERT OR UPDATE ON profiles FOR EACH ROW EXECUTE FUNCTION number_profile();

-- `postroom.by` is set by who writes, for the transaction.
CREATE FUNCTION keep_profile_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.version <> OLD.version THEN
        INSERT INTO profile_versions (profile_id, version, name, style, language, max_length, keep, instructions, model,
                                      created_by)
        VALUES (NEW.id, NEW.version, NEW.name, NEW.style, NEW.language, NEW.max_length, NEW.keep, NEW.instructions,
                NEW.model, coalesce(nullif(current_setting('postroom.by', true), ''), 'sql:' || session_user));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER profiles_versioned AFTER INSERT OR UPDATE ON profiles FOR EACH ROW EXECUTE FUNCTION keep_profile_version();

CREATE FUNCTION refuse_profile_version_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'version % of profile % is never changed', OLD.version, OLD.profile_id;
END $$;
CREATE TRIGGER profile_versions_fixed BEFORE UPDATE ON profile_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_profile_version_change();

ALTER TABLE rewrites ADD COLUMN profile_version integer;  -- NULL: before there were versions, or no model was asked
CREATE INDEX rewrites_profile ON rewrites (profile_id, created_at) WHERE profile_id IS NOT NULL;

CREATE TABLE profile_trials (
    id         uuid        PRIMARY KEY,
    profile_id uuid        NOT NULL REFERENCES profiles ON DELETE CASCADE,
    draft      jsonb,                               -- values that are not saved; NULL: only versions were tried
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX profile_trials_profile ON profile_trials (profile_id, created_at);
CREATE INDEX profile_trials_created ON profile_trials (created_at);
COMMENT ON TABLE profile_trials IS 'owner: api. Profiles that were tried on past posts. Nothing of a trial is published.';

CREATE TABLE profile_trial_runs (
    trial_id          uuid          NOT NULL REFERENCES profile_trials ON DELETE CASCADE,
    number            integer       NOT NULL,
    post_id           uuid          NOT NULL REFERENCES posts ON DELETE CASCADE,
    version           integer,                      -- NULL: the draft
    event_id          text          NOT NULL UNIQUE,
    status            text          CHECK (status IN ('succeeded', 'refused', 'failed')),  -- NULL: not ended
    reason            text,                         -- of a refusal or failure
    title             text          NOT NULL DEFAULT '',
    text              text          NOT NULL DEFAULT '',
    entities          jsonb         NOT NULL DEFAULT '[]',
    hashtags          text[]        NOT NULL DEFAULT '{}',
    language          text          NOT NULL DEFAULT '',
    model             text          NOT NULL DEFAULT '',
    calls             integer       NOT NULL DEFAULT 0,
    prompt_tokens     integer       NOT NULL DEFAULT 0,
    completion_tokens integer       NOT NULL DEFAULT 0,
    cost_usd          numeric(12, 6) NOT NULL DEFAULT 0,
    duration_ms       integer       NOT NULL DEFAULT 0,
    ended_at          timestamptz,
    PRIMARY KEY (trial_id, number)
);
CREATE INDEX profile_trial_runs_post ON profile_trial_runs (post_id);
COMMENT ON TABLE profile_trial_runs IS
    'owner: api adds them, the rewriter writes what came of them. A version or draft of a profile, tried on one post.';

CREATE INDEX images_created ON images (created_at, hash);
CREATE INDEX illustrations_hash ON illustrations (hash) WHERE hash IS NOT NULL;
