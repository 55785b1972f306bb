"""RSS, Atom and JSON feeds over HTTP, with conditional requests and faults."""
