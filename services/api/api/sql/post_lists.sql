-- name: page
-- Shows the posts of a page, which were found before.
SELECT s.*, coalesce(found.state, post_state(s.id)) AS state, found.page_at, found.page_key
FROM ({found}) AS found JOIN post_summaries s ON s.id = found.page_key
ORDER BY page_at DESC, page_key DESC

-- name: found
-- Finds posts, whatever their states.
SELECT p.collected_at AS page_at, p.id AS page_key, NULL::text AS state
FROM posts p
WHERE p.collected_at <= $2 AND (p.collected_at, p.id) < ($2, $3) {conditions}
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: found_by_mark
-- Finds posts among those that have a mark, of a state or of a target. The state itself is asked for last, and of few.
SELECT m.post_at AS page_at, m.post_id AS page_key, {shown} AS state
FROM (SELECT DISTINCT post_at, post_id FROM post_marks
      WHERE post_at <= $2 AND (post_at, post_id) < ($2, $3) {marks}
      ORDER BY post_at DESC, post_id DESC) AS m JOIN posts p ON p.id = m.post_id
WHERE CASE WHEN true {conditions} THEN {state} ELSE false END
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: found_by_words
-- Finds posts among the few that have some words.
WITH hits AS MATERIALIZED (
    SELECT p.collected_at, p.id FROM posts p WHERE p.words @@ {words} {conditions}
)
SELECT h.collected_at AS page_at, h.id AS page_key, {shown} AS state
FROM (SELECT * FROM hits p WHERE p.collected_at <= $2 AND (p.collected_at, p.id) < ($2, $3) {marked}
      ORDER BY collected_at DESC, id DESC OFFSET 0) AS h
WHERE true {state}
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: found_under_way
-- Finds posts that are worked on at this moment: those jobs leave no marks.
SELECT p.collected_at AS page_at, p.id AS page_key, 'pending' AS state
FROM posts p
WHERE p.id IN (SELECT post_id FROM jobs WHERE trouble = 'queued' UNION ALL SELECT post_id FROM jobs_in_progress())
  AND p.collected_at <= $2 AND (p.collected_at, p.id) < ($2, $3) {conditions} AND post_state(p.id) = 'pending'
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: found_either
-- Finds pending posts, whichever way.
SELECT * FROM (({found}) UNION ({under_way})) AS either
ORDER BY page_at DESC, page_key DESC LIMIT $1

-- name: with_words
-- What the planner knows of how many posts have some words.
EXPLAIN (FORMAT JSON) SELECT FROM posts WHERE words @@ {words}

-- name: counts
-- How many posts there are in each state, up to $1 of each. A post with marks of one state only is in that one, unless it
-- is worked on at this moment.
WITH under_way AS MATERIALIZED (
    SELECT DISTINCT post_id FROM (
        SELECT post_id FROM jobs WHERE trouble = 'queued' UNION ALL SELECT post_id FROM jobs_in_progress()) AS j
    WHERE post_id IS NOT NULL LIMIT $1
), candidates AS (
    SELECT s.state, m.post_id
    FROM unnest($2::text[]) AS s (state)
    CROSS JOIN LATERAL (SELECT DISTINCT post_at, post_id FROM post_marks
                        WHERE state = s.state ORDER BY post_at DESC, post_id DESC LIMIT $1) AS m
    UNION SELECT 'pending', post_id FROM under_way
)
SELECT state, least(count(*), $1)::integer AS posts FROM candidates c
WHERE CASE WHEN EXISTS (SELECT FROM post_marks o WHERE o.post_id = c.post_id AND o.state <> c.state)
             OR c.post_id IN (SELECT post_id FROM under_way)
           THEN c.state = post_state(c.post_id) ELSE true END
GROUP BY state
UNION ALL SELECT 'all', count(*) FROM (SELECT FROM posts LIMIT $1) AS whole
