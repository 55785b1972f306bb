-- name: list_sources
-- A page of sources, with how they were read last.
SELECT s.*, st.last_run_at, st.last_success_at, st.last_error, coalesce(st.failures, 0) AS failures,
       s.created_at AS page_at, s.id AS page_key
FROM sources s LEFT JOIN source_states st ON st.source_id = s.id
WHERE s.created_at <= $2 AND (s.created_at, s.id) < ($2, $3)
  AND ($4::text IS NULL OR s.kind = $4) AND ($5::boolean IS NULL OR s.enabled = $5)
  AND ($6::boolean IS NULL OR (st.last_error IS NOT NULL) = $6)
  AND ($7::text IS NULL OR strpos(lower(s.title || ' ' || s.address), lower($7)) > 0)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: get_source
-- One source, with how it was read last.
SELECT s.*, st.last_run_at, st.last_success_at, st.last_error, coalesce(st.failures, 0) AS failures
FROM sources s LEFT JOIN source_states st ON st.source_id = s.id WHERE s.id = $1

-- name: list_profiles
-- A page of profiles.
SELECT *, created_at AS page_at, id AS page_key FROM profiles
WHERE created_at <= $2 AND (created_at, id) < ($2, $3)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: get_profile
-- One profile.
SELECT * FROM profiles WHERE id = $1

-- name: profile_use
-- What was done with each profile since a time, and the routes that go through it.
SELECT p.id AS profile_id, w.rewrites, w.refused, w.last_used_at,
       coalesce((SELECT jsonb_agg(jsonb_build_object('id', r.id, 'name', r.name, 'enabled', r.enabled) ORDER BY r.name)
                 FROM routes r WHERE r.profile_id = p.id), '[]') AS routes
FROM profiles p
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE r.status = 'succeeded') AS rewrites, count(*) FILTER (WHERE r.status = 'refused') AS refused,
           max(r.created_at) AS last_used_at
    FROM rewrites r WHERE r.profile_id = p.id AND r.created_at >= $1) AS w
ORDER BY p.name

-- name: list_profile_versions
-- A page of the versions of a profile, by their numbers: of two changes that began at once either may come first.
SELECT * FROM (SELECT *, to_timestamp(version) AS page_at, version AS page_key FROM profile_versions WHERE profile_id = $4) AS v
WHERE (page_at, page_key) < ($2, $3::text::integer)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: get_profile_version
-- One version of a profile.
SELECT * FROM profile_versions WHERE profile_id = $1 AND version = $2

-- name: list_destinations
-- A page of destinations.
SELECT *, created_at AS page_at, address AS page_key FROM destinations
WHERE created_at <= $2 AND (created_at, address) < ($2, $3)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: get_destination
-- One destination.
SELECT * FROM destinations WHERE address = $1

-- name: list_routes
-- A page of routes.
SELECT *, created_at AS page_at, id AS page_key FROM routes
WHERE created_at <= $2 AND (created_at, id) < ($2, $3)
  AND ($4::uuid IS NULL OR source_id = $4) AND ($5::uuid IS NULL OR profile_id = $5)
  AND ($6::boolean IS NULL OR enabled = $6)
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: get_route
-- One route.
SELECT * FROM routes WHERE id = $1
