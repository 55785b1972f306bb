-- name: beat
-- Says that a worker of a replica lives; those that have not for a day are forgotten.
WITH forgotten AS (DELETE FROM worker_beats WHERE last_beat < now() - interval '1 day')
INSERT INTO worker_beats (worker, replica, running, next_run) VALUES ($1, $2, $3, $4)
ON CONFLICT (worker, replica) DO UPDATE SET running = excluded.running, next_run = excluded.next_run, last_beat = now()

-- name: end
-- Takes the row of a worker away that stopped in order.
DELETE FROM worker_beats WHERE worker = $1 AND replica = $2
