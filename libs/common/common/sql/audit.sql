-- name: record
-- Records who changed what.
INSERT INTO audit_log (actor, action, object, before, after) VALUES ($1, $2, $3, $4, $5)
