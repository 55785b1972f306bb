-- Platforms without random ids: how far a send came is kept, so that whoever comes after a crash goes on and repeats nothing.

ALTER TABLE publications ADD COLUMN progress jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN publications.progress IS
    'Instagram: the container that is to be published; X: the posts of the thread so far. Begins anew with random_ids.';

CREATE TABLE platform_tokens (
    platform     text        NOT NULL,
    account      text        NOT NULL,
    given        bytea       NOT NULL,              -- SHA-256 of what the settings give: other tokens there begin anew
    tokens       bytea       NOT NULL,              -- encrypted with a key that only who has the given ones can derive
    refreshed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (platform, account)
);
COMMENT ON TABLE platform_tokens IS
    'owner: publisher. Tokens of accounts that were refreshed: a refresh token of X is good for one refresh.';
