-- Live events: tickets for connections that can't send a token.

CREATE TABLE event_tickets (
    digest     bytea       PRIMARY KEY,               -- SHA-256 of the ticket
    token_id   uuid        NOT NULL REFERENCES api_tokens ON DELETE CASCADE,
    expires_at timestamptz NOT NULL                   -- no index: a handful of rows, and none is older than a minute
);
COMMENT ON TABLE event_tickets IS 'owner: api. Tickets for live events: each opens one connection, within seconds.';
