-- Broadcasting: tasks that a worker sends to many chats as a user account.

CREATE TABLE chats (
    address              text        PRIMARY KEY,   -- @name in lower case, or a marked id such as -1001234567890
    title                text        NOT NULL DEFAULT '',
    enabled              boolean     NOT NULL DEFAULT true,  -- false: nothing is sent there
    min_messages_between integer     NOT NULL DEFAULT 0 CHECK (min_messages_between >= 0),  -- of others, between two of ours
    created_at           timestamptz NOT NULL DEFAULT now(),
    -- What the userbot learns, and only it writes:
    peer_id              bigint,                    -- the marked id
    last_success_post_at timestamptz,
    messages_since_post  integer     NOT NULL DEFAULT 0,     -- written by others since our last post
    counted_message_id   bigint      NOT NULL DEFAULT 0,     -- up to here they are counted
    flag                 text        CHECK (flag IN ('forbidden', 'banned', 'private', 'migrated', 'missing')),
    flag_reason          text,
    flagged_at           timestamptz
);
CREATE INDEX chats_peer ON chats (peer_id);
COMMENT ON TABLE chats IS 'owner: api; the userbot writes what it learns. The chats that posts are broadcast to.';

CREATE TABLE userbot_tasks (
    id              uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    post_id         uuid        REFERENCES posts,
    text            text,                            -- Telegram markdown, in place of a post
    target_chat_ids text[]      NOT NULL DEFAULT '{}',  -- empty: TARGET_CHAT_IDS of the worker
    forward         boolean     NOT NULL DEFAULT false, -- forward the published message instead of sending a copy
    account         text,                            -- whose task it is; NULL: of the first account that takes it
    status          text        NOT NULL DEFAULT 'pending'
                    CHECK (status IN ('pending', 'processing', 'done', 'failed', 'cancelled')),
    attempts        integer     NOT NULL DEFAULT 0,  -- takes; one after an expired lease or a parked task is none
    not_before      timestamptz NOT NULL DEFAULT now(),
    sent_count      integer     NOT NULL DEFAULT 0,
    error_count     integer     NOT NULL DEFAULT 0,
    skipped_count   integer     NOT NULL DEFAULT 0,
    last_error      text,
    -- What people decide:
    paused_at           timestamptz,
    paused_by           text,
    cancel_requested_at timestamptz,
    cancelled_by        text,
    -- What the worker fixes at the first take, so that every later one sends the same to the same chats:
    material        jsonb,                           -- text, entities, media; or the chat and the messages to forward
    chats           text[],
    holder          uuid,
    lease_until     timestamptz,
    traceparent     text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    started_at      timestamptz,
    finished_at     timestamptz,
    CHECK ((post_id IS NULL) <> (text IS NULL)),
    CHECK (NOT forward OR post_id IS NOT NULL)
) WITH (fillfactor = 80);
CREATE INDEX userbot_tasks_open ON userbot_tasks (not_before, created_at) WHERE status IN ('pending', 'processing');
CREATE INDEX userbot_tasks_post ON userbot_tasks (post_id);
COMMENT ON TABLE userbot_tasks IS 'owner: userbot. What is to be sent to which chats, and how far that is.';

CREATE TABLE broadcast_attempts (
    task_id     uuid        NOT NULL REFERENCES userbot_tasks ON DELETE CASCADE,
    chat        text        NOT NULL,
    attempt     integer     NOT NULL,
    account     text        NOT NULL,
    outcome     text        NOT NULL CHECK (outcome IN ('sending', 'sent', 'retry', 'refused', 'skipped', 'unknown')),
    error       text,
    peer_id     bigint,                              -- the marked id of the chat
    random_ids  bigint[]    NOT NULL DEFAULT '{}',   -- the same in every attempt; stored before the call
    message_ids bigint[]    NOT NULL DEFAULT '{}',
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (task_id, chat, attempt)
);
CREATE INDEX broadcast_attempts_sent ON broadcast_attempts (account, finished_at) WHERE outcome = 'sent';
COMMENT ON TABLE broadcast_attempts IS 'owner: userbot. Each try to send a task to a chat.';

CREATE TABLE userbot_accounts (
    name           text        PRIMARY KEY,
    stopped_at     timestamptz,                      -- Telegram blocked it for spam: nothing is sent until a person resumes it
    stopped_reason text
);
COMMENT ON TABLE userbot_accounts IS 'owner: userbot. The accounts that broadcast, and whether they were stopped.';

CREATE TABLE queue_pauses (
    queue     text        PRIMARY KEY,
    paused_at timestamptz NOT NULL DEFAULT now(),
    paused_by text        NOT NULL,
    reason    text        NOT NULL DEFAULT '',
    until     timestamptz                            -- NULL: until somebody resumes it
);
COMMENT ON TABLE queue_pauses IS 'owner: api. Queues whose tasks stand still.';

ALTER TABLE routes ADD COLUMN broadcast jsonb;  -- {"chats": […], "delay_seconds": 0, "forward": false}; NULL: none
COMMENT ON COLUMN routes.broadcast IS 'what follows when a post of this route was published; NULL: nothing';
