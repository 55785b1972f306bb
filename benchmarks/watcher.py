"""`python -m benchmarks.watcher URL`: takes traces by OTLP and reads metrics every second, as who watches does.

Prints the port on which it takes traces. At the end of its input it prints how many spans and readings it got.
"""

import gzip
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SCRAPE_SECONDS = 1.0  # Prometheus comes every 15; this is no kinder than that


class Taker(BaseHTTPRequestHandler):
    """Keeps what is exported; it is looked at when the run is over."""

    bodies: list[bytes]

    def do_POST(self) -> None:
        """Take an export."""
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


def main() -> None:
    """Take and read until the input ends."""
    Taker.bodies = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    over = threading.Event()
    readings: list[int] = []
    reading = threading.Thread(target=_read, args=(sys.argv[1], over, readings), daemon=True)
    reading.start()
    sys.stdin.read()
    over.set()
    reading.join()
    server.shutdown()
    print(sum(map(_spans, Taker.bodies)), len(readings), flush=True)


def _read(url: str, over: threading.Event, readings: list[int]) -> None:
    while not over.wait(SCRAPE_SECONDS):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                readings.append(len(answer.read()))
        except OSError:  # it does not listen yet, or no more
            continue


def _spans(body: bytes) -> int:
    export = ExportTraceServiceRequest.FromString(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
    return sum(len(scope.spans) for resource in export.resource_spans for scope in resource.scope_spans)


if __name__ == "__main__":
    main()
