"""The panel: pages for a browser. It is a client of the API in the same process; it has no logic of its own."""
