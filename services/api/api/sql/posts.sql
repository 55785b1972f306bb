-- name: get_post
-- One post with everything that became of it. Ties have an order as well: what is equal has the same ETag.
SELECT p.id, p.source_id, p.external_id, p.revision, p.url, p.title, p.text, p.entities, p.posted_at, p.collected_at,
       p.duplicate_of, p.trace_id, (SELECT st.state FROM post_states st WHERE st.post_id = p.id) AS state,
       array(SELECT jsonb_build_object('position', m.position, 'kind', m.kind, 'mime_type', m.mime_type,
                                       'size_bytes', m.size_bytes, 'details', m.details, 'hash', f.hash,
                                       'problem', f.problem)
             FROM post_media m LEFT JOIN media_fetches f USING (post_id, position)
             WHERE m.post_id = p.id ORDER BY m.position) AS media,
       array(SELECT jsonb_build_object('place', a.place, 'hash', a.hash, 'attached_at', a.attached_at)
             FROM attachments a WHERE a.post_id = p.id ORDER BY a.place) AS images,
       array(SELECT to_jsonb(i) - 'post_id' FROM illustrations i WHERE i.post_id = p.id ORDER BY i.created_at, i.id)
           AS illustrations,
       array(SELECT to_jsonb(r) - 'post_id' - 'request' - 'answer' FROM rewrites r
             WHERE r.post_id = p.id ORDER BY r.created_at, r.id) AS rewrites,
       array(SELECT to_jsonb(e) - 'post_id' FROM post_edits e WHERE e.post_id = p.id ORDER BY e.edited_at, e.id) AS edits,
       array(SELECT to_jsonb(o) - 'post_id' - 'traceparent' FROM routings o WHERE o.post_id = p.id ORDER BY o.decided_at, o.route_id) AS routings,
       array(SELECT to_jsonb(j) - 'post_id' - 'holder' - 'lease_until' - 'ack_subject' - 'trouble' FROM jobs j
             WHERE j.post_id = p.id ORDER BY j.created_at, j.consumer, j.event_id) AS jobs,
       array(SELECT jsonb_build_object('id', d.id, 'target', d.target, 'scheduled_time', d.scheduled_time,
                                       'status', d.status, 'attempts', d.attempts, 'request_id', d.request_id,
                                       'last_error', d.last_error, 'created_by', d.created_by, 'created_at', d.created_at)
             FROM scheduled_posts d WHERE d.post_id = p.id ORDER BY d.created_at, d.id) AS scheduled,
       array(SELECT jsonb_build_object('id', k.id, 'rewrite_id', k.rewrite_id, 'status', k.status, 'reason', k.reason,
                                       'requested_at', k.requested_at, 'finished_at', k.finished_at)
             FROM publish_packages k WHERE k.post_id = p.id ORDER BY k.requested_at, k.id) AS packages,
       array(SELECT jsonb_build_object('id', q.id, 'package_id', q.package_id, 'destination', q.destination,
                                       'status', q.status, 'message_ids', q.message_ids, 'url', q.url, 'text', q.text,
                                       'attempts', q.attempts, 'last_error', q.last_error, 'created_at', q.created_at,
                                       'first_try_at', q.first_try_at, 'finished_at', q.finished_at)
             FROM publications q WHERE q.post_id = p.id ORDER BY q.created_at, q.id) AS publications,
       array(SELECT jsonb_build_object('id', t.id, 'status', t.status, 'account', t.account, 'sent_count', t.sent_count,
                                       'error_count', t.error_count, 'skipped_count', t.skipped_count,
                                       'last_error', t.last_error, 'created_at', t.created_at,
                                       'finished_at', t.finished_at)
             FROM userbot_tasks t WHERE t.post_id = p.id ORDER BY t.created_at, t.id) AS broadcasts,
       array(SELECT jsonb_build_object('id', n.id, 'kind', n.kind, 'severity', n.severity, 'title', n.title,
                                       'count', n.count, 'last_at', n.last_at)
             FROM notifications n WHERE n.post_id = p.id ORDER BY n.last_at, n.id) AS notifications
FROM posts p WHERE p.id = $1

-- name: editable
-- A post, as far as it matters to an edit: whether a rewrite is its own, and which of them is the newest.
SELECT p.id, p.duplicate_of,
       (SELECT r.id FROM rewrites r WHERE r.post_id = p.id AND r.status = 'succeeded'
          AND ($2::uuid IS NULL OR r.id = $2) ORDER BY r.created_at DESC LIMIT 1) AS rewrite_id
FROM posts p WHERE p.id = $1

-- name: add_edit
-- Keeps what a person wrote in place of a post, or of a rewrite of it.
INSERT INTO post_edits (post_id, rewrite_id, title, text, entities, edited_by) VALUES ($1, $2, $3, $4, $5, $6)

-- name: decide
-- Decides about what routes hold of a post, and says at what time: `decided_at` tells this decision from later ones.
SELECT d.route_id, d.rewrite_id, d.targets, r.traceparent, now() AS decided_at
FROM decide_routing($1, $2, $3, $4, $5) d JOIN routings r ON r.post_id = $1 AND r.route_id = d.route_id

-- name: last_decision
-- What was decided of a post last, and by whom.
SELECT decision, decided_by, decided_at FROM routings
WHERE post_id = $1 AND ($2::uuid IS NULL OR route_id = $2) ORDER BY decided_at DESC LIMIT 1

-- name: plan_routing
-- Says that what was approved goes out at a slot, or is still held as none is free.
UPDATE routings SET decision = $3, reason = concat_ws('; ', nullif(reason, ''), $4::text) WHERE post_id = $1 AND route_id = $2

-- name: cancel
-- Calls off what is queued of a post.
SELECT destination FROM cancel_publications($1, $2)

-- name: failed
-- What of a post failed, and could be tried again: its dead letters, and the destinations it was not sent to.
SELECT (SELECT array_agg(consumer || '/' || event_id) FROM jobs WHERE post_id = p.id AND status = 'failed') AS jobs,
       (SELECT array_agg(destination ORDER BY destination) FROM publications
        WHERE post_id = p.id AND status IN ('failed', 'cancelled')) AS destinations,
       (SELECT k.rewrite_id FROM publications q JOIN publish_packages k ON k.id = q.package_id
        WHERE q.post_id = p.id AND q.status IN ('failed', 'cancelled') ORDER BY q.created_at DESC LIMIT 1) AS rewrite_id,
       (SELECT k.traceparent FROM publications q JOIN publish_packages k ON k.id = q.package_id
        WHERE q.post_id = p.id AND q.status IN ('failed', 'cancelled') ORDER BY q.created_at DESC LIMIT 1) AS traceparent
FROM posts p WHERE p.id = $1
