"""What Postroom costs: one hop against a bare FastStream hop, and the whole pipeline. `python -m benchmarks --help`."""
