"""The panel: a client of the API in the same process, for people."""
