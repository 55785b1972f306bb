-- name: ask
-- Asks what there is to read at an address; of what was asked a day ago nobody needs to know any more.
WITH old AS (DELETE FROM source_checks WHERE asked_at < now() - interval '1 day')
INSERT INTO source_checks (id, kind, address, allow_private) VALUES ($1, $2, $3, $4)

-- name: get_check
-- One check, with the source that has its address.
SELECT c.id, c.kind, c.address, c.allow_private, c.asked_at, c.answered_at, c.finding, s.id AS source_id,
       clock_timestamp() AS now
FROM source_checks c LEFT JOIN sources s ON (s.kind, s.address) = (c.kind, c.address) WHERE c.id = $1
