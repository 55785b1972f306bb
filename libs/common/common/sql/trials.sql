-- name: values
-- What a profile says now, or said in a version.
SELECT v.profile_id AS id, v.name, v.style, v.language, v.max_length, v.keep, v.instructions, v.model, v.version
FROM profiles p JOIN profile_versions v ON v.profile_id = p.id AND v.version = coalesce($2::int, p.version)
WHERE p.id = $1

-- name: known_posts
-- Those of the posts that there are, and that say something.
SELECT id FROM posts WHERE id = ANY ($1::uuid[]) AND (text <> '' OR title <> '')

-- name: latest_posts
-- The newest posts of a source that say something and are no duplicates.
SELECT id FROM posts
WHERE source_id = $1 AND duplicate_of IS NULL AND (text <> '' OR title <> '') ORDER BY collected_at DESC, id LIMIT $2

-- name: add
-- Adds a trial.
INSERT INTO profile_trials (id, profile_id, draft, created_by) VALUES ($1, $2, $3, $4)

-- name: add_runs
-- Adds the runs of a trial: a version, or the draft, on a post.
INSERT INTO profile_trial_runs (trial_id, number, post_id, version, event_id)
SELECT $1, * FROM unnest($2::int[], $3::uuid[], $4::int[], $5::text[])

-- name: run
-- One run as it is to be done; `draft` is what is tried where it names no version.
SELECT r.post_id, r.version, r.status, t.profile_id, t.draft
FROM profile_trial_runs r JOIN profile_trials t ON t.id = r.trial_id WHERE r.trial_id = $1 AND r.number = $2

-- name: end
-- Notes what came of runs, each given as a JSON object. The first result stays.
UPDATE profile_trial_runs r
SET status = e.status, reason = e.reason, title = e.title, text = e.text, entities = e.entities, hashtags = e.hashtags,
    language = e.language, model = e.model, calls = e.calls, prompt_tokens = e.prompt_tokens,
    completion_tokens = e.completion_tokens, cost_usd = e.cost_usd, duration_ms = e.duration_ms, ended_at = now()
FROM unnest($1::jsonb[]) AS given (run)
CROSS JOIN LATERAL jsonb_to_record(given.run) AS e (
    trial_id uuid, number integer, status text, reason text, title text, text text, entities jsonb, hashtags text[],
    language text, model text, calls integer, prompt_tokens integer, completion_tokens integer, cost_usd numeric,
    duration_ms integer)
WHERE r.trial_id = e.trial_id AND r.number = e.number AND r.status IS NULL

-- name: get
-- One trial of a profile.
SELECT id, profile_id, draft, created_by, created_at FROM profile_trials WHERE profile_id = $1 AND id = $2

-- name: runs
-- The runs of a trial, post by post; one whose job has died has failed, and one that waits says why.
SELECT r.number, r.post_id, p.title AS post_title, p.text AS post_text, p.entities AS post_entities, r.version,
       CASE WHEN r.status IS NOT NULL THEN r.status WHEN j.status IN ('failed', 'cancelled') THEN 'failed'
            ELSE 'requested' END AS status,
       coalesce(r.reason, CASE WHEN r.status IS NULL THEN j.last_error END) AS reason, r.title, r.text, r.entities,
       r.hashtags, r.language, r.model, r.calls, r.prompt_tokens, r.completion_tokens, r.cost_usd::float8 AS cost_usd,
       r.duration_ms / 1000.0::float8 AS seconds, coalesce(r.ended_at, j.finished_at) AS ended_at
FROM profile_trial_runs r JOIN posts p ON p.id = r.post_id
LEFT JOIN jobs j ON j.consumer = 'rewriter-trials' AND j.event_id = r.event_id
WHERE r.trial_id = $1 ORDER BY r.number

-- name: list
-- A page of the trials of a profile.
SELECT t.id, t.profile_id, t.draft, t.created_by, t.created_at, t.created_at AS page_at, t.id AS page_key, n.*
FROM profile_trials t
CROSS JOIN LATERAL (
    SELECT count(*) AS runs, count(DISTINCT r.post_id) AS posts, coalesce(sum(r.cost_usd), 0)::float8 AS cost_usd
    FROM profile_trial_runs r WHERE r.trial_id = t.id) AS n
WHERE t.created_at <= $2 AND (t.created_at, t.id) < ($2, $3) AND t.profile_id = $4
ORDER BY page_at DESC, page_key DESC LIMIT $1
