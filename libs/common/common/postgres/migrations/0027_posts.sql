-- Marks: in which states a post may be, in the order of lists. What a state follows from lies in six tables, and a post in
-- a rare state would have to be looked for among all. A mark is only a hint: the view post_states says what is so. None is
-- missing, other than of jobs that are not done (they are few, and found by themselves).

CREATE TABLE post_marks (
    post_id   uuid        NOT NULL REFERENCES posts ON DELETE CASCADE,
    state     text        NOT NULL,
    evidence  text        NOT NULL,   -- what it follows from: a row of one of those tables
    post_at   timestamptz NOT NULL,   -- when the post was collected
    source_id uuid,                   -- of the post
    target    text,                   -- where it is published or planned
    PRIMARY KEY (post_id, state, evidence)
) WITH (fillfactor = 90);
CREATE INDEX post_marks_listed ON post_marks (state, post_at, post_id);
CREATE INDEX post_marks_of_source ON post_marks (source_id, state, post_at, post_id);
CREATE INDEX post_marks_of_target ON post_marks (target, post_at, post_id) WHERE target IS NOT NULL;
COMMENT ON TABLE post_marks IS 'owner: common; written by triggers only. In which states posts may be.';

CREATE FUNCTION mark_of_publication(status text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE status WHEN 'succeeded' THEN 'published' WHEN 'failed' THEN 'dead' WHEN 'cancelled' THEN 'cancelled'
                       WHEN 'unknown' THEN 'awaiting' ELSE 'pending' END
$$;
CREATE FUNCTION mark_of_scheduled(status text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE status WHEN 'failed' THEN 'dead' WHEN 'cancelled' THEN 'cancelled'
                       WHEN 'published' THEN 'published' ELSE 'scheduled' END
$$;
CREATE FUNCTION mark_of_routing(decision text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE decision WHEN 'hold' THEN 'awaiting' WHEN 'illustrate' THEN 'pending' WHEN 'rewrite' THEN 'pending'
                         WHEN 'reject' THEN 'rejected' END
$$;
CREATE FUNCTION mark_of_job(status text, queue text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN queue IN ('notify_queue', 'webhook_queue', 'summary_queue') THEN NULL
                WHEN status = 'failed' THEN 'dead' WHEN status = 'cancelled' THEN 'cancelled' END
$$;

-- Puts the mark of one piece of evidence in the place of the one it had. A post of which nothing is known is pending: the
-- mark that says so (evidence 'post') goes with the first one that says something else, and is back when one goes. It may
-- stay too long, where two do so at once; it is never away too early.
CREATE FUNCTION mark_post(post uuid, of_evidence text, had text, has text, to_target text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF had IS NOT NULL AND had IS DISTINCT FROM has THEN
        DELETE FROM post_marks WHERE post_id = post AND state = had AND evidence = of_evidence;
    END IF;
    IF has IS NOT NULL THEN
        INSERT INTO post_marks (post_id, state, evidence, post_at, source_id, target)
        SELECT p.id, has, of_evidence, p.collected_at, p.source_id, to_target FROM posts p WHERE p.id = post
        ON CONFLICT DO NOTHING;
    END IF;
    IF has IS NOT NULL AND has <> 'pending' THEN
        DELETE FROM post_marks WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM post_marks WHERE post_id = post AND state = 'pending' AND evidence = 'post'
            FOR UPDATE SKIP LOCKED));
    ELSIF had IS NOT NULL AND had <> 'pending' THEN
        INSERT INTO post_marks (post_id, state, evidence, post_at, source_id)
        SELECT p.id, 'pending', 'post', p.collected_at, p.source_id FROM posts p
        WHERE p.id = post AND p.duplicate_of IS NULL
        ON CONFLICT DO NOTHING;
    END IF;
END $$;
COMMENT ON FUNCTION mark_post IS 'owner: common. Keeps post_marks, from triggers.';

CREATE FUNCTION mark_collected() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO post_marks (post_id, state, evidence, post_at, source_id)
    SELECT id, CASE WHEN duplicate_of IS NULL THEN 'pending' ELSE 'duplicate' END, 'post', collected_at, source_id FROM new
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER posts_marked AFTER INSERT ON posts REFERENCING NEW TABLE AS new
    FOR EACH STATEMENT EXECUTE FUNCTION mark_collected();

CREATE FUNCTION mark_publication() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM mark_post(NEW.post_id, 'publication/' || NEW.id,
                      CASE TG_OP WHEN 'UPDATE' THEN mark_of_publication(OLD.status) END,
                      mark_of_publication(NEW.status), NEW.destination);
    RETURN NULL;
END $$;
CREATE TRIGGER publications_marked AFTER INSERT ON publications FOR EACH ROW EXECUTE FUNCTION mark_publication();
CREATE TRIGGER publications_marked_anew AFTER UPDATE ON publications FOR EACH ROW
    WHEN (mark_of_publication(OLD.status) <> mark_of_publication(NEW.status)) EXECUTE FUNCTION mark_publication();

CREATE FUNCTION mark_scheduled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM mark_post(NEW.post_id, 'scheduled/' || NEW.id,
                      CASE TG_OP WHEN 'UPDATE' THEN mark_of_scheduled(OLD.status) END,
                      mark_of_scheduled(NEW.status), NEW.target);
    RETURN NULL;
END $$;
CREATE TRIGGER scheduled_posts_marked AFTER INSERT ON scheduled_posts FOR EACH ROW EXECUTE FUNCTION mark_scheduled();
CREATE TRIGGER scheduled_posts_marked_anew AFTER UPDATE ON scheduled_posts FOR EACH ROW
    WHEN (mark_of_scheduled(OLD.status) <> mark_of_scheduled(NEW.status)) EXECUTE FUNCTION mark_scheduled();

CREATE FUNCTION mark_routing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM mark_post(NEW.post_id, 'routing/' || NEW.route_id,
                      CASE TG_OP WHEN 'UPDATE' THEN mark_of_routing(OLD.decision) END,
                      mark_of_routing(NEW.decision), NULL);
    RETURN NULL;
END $$;
CREATE TRIGGER routings_marked AFTER INSERT ON routings FOR EACH ROW
    WHEN (NEW.decision NOT IN ('publish', 'schedule')) EXECUTE FUNCTION mark_routing();
CREATE TRIGGER routings_marked_anew AFTER UPDATE ON routings FOR EACH ROW
    WHEN (OLD.decision <> NEW.decision) EXECUTE FUNCTION mark_routing();

CREATE FUNCTION mark_refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM mark_post(NEW.post_id, 'rewrite/' || NEW.id, NULL, 'rejected', NULL);
    RETURN NULL;
END $$;
CREATE TRIGGER rewrites_marked AFTER INSERT OR UPDATE ON rewrites FOR EACH ROW
    WHEN (NEW.status = 'refused') EXECUTE FUNCTION mark_refused();

CREATE FUNCTION mark_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM mark_post(NEW.post_id, 'content/' || NEW.id,
                      CASE WHEN TG_OP = 'UPDATE' THEN CASE WHEN OLD.deleted_at IS NULL THEN 'awaiting' ELSE 'cancelled' END END,
                      CASE WHEN NEW.deleted_at IS NULL THEN 'awaiting' ELSE 'cancelled' END, NULL);
    RETURN NULL;
END $$;
CREATE TRIGGER contents_marked AFTER INSERT ON contents FOR EACH ROW EXECUTE FUNCTION mark_content();
CREATE TRIGGER contents_marked_anew AFTER UPDATE ON contents FOR EACH ROW
    WHEN ((OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL)) EXECUTE FUNCTION mark_content();

CREATE FUNCTION mark_job() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_post uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.post_id ELSE NEW.post_id END;
BEGIN
    PERFORM mark_post(of_post, CASE TG_OP WHEN 'DELETE' THEN 'job/' || OLD.consumer || '/' || OLD.event_id
                                          ELSE 'job/' || NEW.consumer || '/' || NEW.event_id END,
                      CASE WHEN TG_OP <> 'INSERT' THEN mark_of_job(OLD.status, OLD.queue) END,
                      CASE WHEN TG_OP <> 'DELETE' THEN mark_of_job(NEW.status, NEW.queue) END, NULL);
    RETURN NULL;
END $$;
-- The way of a job that simply succeeds fires none of them.
CREATE TRIGGER jobs_marked AFTER INSERT ON jobs FOR EACH ROW
    WHEN (NEW.post_id IS NOT NULL AND NEW.status IN ('failed', 'cancelled')) EXECUTE FUNCTION mark_job();
CREATE TRIGGER jobs_marked_anew AFTER UPDATE ON jobs FOR EACH ROW
    WHEN (NEW.post_id IS NOT NULL AND OLD.status <> NEW.status
          AND (OLD.status IN ('failed', 'cancelled') OR NEW.status IN ('failed', 'cancelled'))) EXECUTE FUNCTION mark_job();
CREATE TRIGGER jobs_unmarked AFTER DELETE ON jobs FOR EACH ROW
    WHEN (OLD.post_id IS NOT NULL AND OLD.status IN ('failed', 'cancelled')) EXECUTE FUNCTION mark_job();

-- What is there already.
INSERT INTO post_marks (post_id, state, evidence, post_at, source_id, target)
SELECT e.post_id, e.state, e.evidence, p.collected_at, p.source_id, e.target
FROM (
    SELECT post_id, mark_of_publication(status) AS state, 'publication/' || id AS evidence, destination AS target FROM publications
    UNION ALL SELECT post_id, mark_of_scheduled(status), 'scheduled/' || id, target FROM scheduled_posts
    UNION ALL SELECT post_id, mark_of_routing(decision), 'routing/' || route_id, NULL FROM routings
    UNION ALL SELECT post_id, 'rejected', 'rewrite/' || id, NULL FROM rewrites WHERE status = 'refused'
    UNION ALL SELECT post_id, CASE WHEN deleted_at IS NULL THEN 'awaiting' ELSE 'cancelled' END, 'content/' || id, NULL
              FROM contents
    UNION ALL SELECT post_id, mark_of_job(status, queue), 'job/' || consumer || '/' || event_id, NULL FROM jobs
              WHERE post_id IS NOT NULL AND status IN ('failed', 'cancelled')
) AS e JOIN posts p ON p.id = e.post_id
WHERE e.state IS NOT NULL;
INSERT INTO post_marks (post_id, state, evidence, post_at, source_id)
SELECT p.id, CASE WHEN p.duplicate_of IS NULL THEN 'pending' ELSE 'duplicate' END, 'post', p.collected_at, p.source_id
FROM posts p
WHERE p.duplicate_of IS NOT NULL OR NOT EXISTS (SELECT FROM post_marks m WHERE m.post_id = p.id AND m.state <> 'pending');
ANALYZE post_marks;

-- The words of a post, worked out once: to work them out for each row that a search looks at takes a tenth of a millisecond.
ALTER TABLE posts ADD words tsvector
    GENERATED ALWAYS AS (to_tsvector('russian', title || ' ' || left(text, 50000))) STORED;
DROP INDEX posts_words;
CREATE INDEX posts_words ON posts USING gin (words);

-- Posts as a list shows them.
CREATE VIEW post_summaries AS
SELECT p.id, p.source_id, (SELECT coalesce(nullif(s.title, ''), s.address) FROM sources s WHERE s.id = p.source_id) AS source,
       p.external_id, p.url, p.title, left(p.text, 300) AS excerpt, p.posted_at, p.collected_at, p.duplicate_of, p.trace_id,
       array(SELECT split_part(t.target, ':', 1) FROM (
                 SELECT q.destination AS target FROM publications q WHERE q.post_id = p.id
                 UNION ALL SELECT d.target FROM scheduled_posts d WHERE d.post_id = p.id
                 UNION ALL SELECT unnest(o.targets) FROM routings o WHERE o.post_id = p.id) AS t
             GROUP BY 1 ORDER BY 1) AS networks,
       EXISTS (SELECT FROM attachments a JOIN images i USING (hash)
               WHERE a.post_id = p.id AND i.mime_type LIKE 'image/%') AS has_image
FROM posts p;
COMMENT ON VIEW post_summaries IS 'owner: api. What a list shows of a post; for the posts of a page, by their ids.';

-- The state of one post. Its plan is kept, and the planner knows that it is better asked of few.
CREATE FUNCTION post_state(post uuid) RETURNS text LANGUAGE plpgsql STABLE COST 5000 AS $$
BEGIN
    RETURN (SELECT s.state FROM post_states s WHERE s.post_id = post);
END $$;
COMMENT ON FUNCTION post_state IS 'owner: common. What the view post_states says of a post.';
