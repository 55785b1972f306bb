-- name: add_routing
-- Records what routes decided; a post that is rewritten again for the same route is decided anew.
INSERT INTO routings AS r (post_id, route_id, rewrite_id, decision, reason, targets)
SELECT post_id, route_id, rewrite_id, decision, reason, ARRAY(SELECT json_array_elements_text(targets::json))
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[])
     AS decided (post_id, route_id, rewrite_id, decision, reason, targets)
ON CONFLICT (post_id, route_id) DO UPDATE
SET rewrite_id = excluded.rewrite_id, decision = excluded.decision, reason = excluded.reason,
    targets = excluded.targets, decided_at = now()

-- name: unread_sources
-- Finds the enabled sources that were never read.
SELECT s.id FROM sources s LEFT JOIN source_states st ON st.source_id = s.id
WHERE s.enabled AND s.kind <> 'import' AND st.last_run_at IS NULL
