"""Live events: the stream LIVE, told to those who watch, by server-sent events or over a WebSocket."""
