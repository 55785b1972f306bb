-- What waits keeps its trace: what is told after the wait goes on in it.

ALTER TABLE routings ADD COLUMN traceparent text;         -- where the wait for a person or an image began; NULL: none
ALTER TABLE scheduled_posts ADD COLUMN traceparent text;  -- where it was planned, or last asked for by a person
