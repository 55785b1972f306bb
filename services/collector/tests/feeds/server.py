"""A real HTTP server on the loopback interface that answers with the bytes it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Answer:
    body: bytes = b""
    status: str = "200 OK"
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    """Whether the connection stays open without the rest of the body."""
    declared_length: int | None = None


@dataclass
class FeedServer:
    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers of each request, the header names in lower case."""
    first_bytes: bytes = b""

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def serve(self, path: str, body: bytes | str = b"", status: str = "200 OK", **headers: str) -> str:
        content = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = Answer(content, status, named)
        return self.url(path)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.first_bytes = await reader.read(65536)
            head = self.first_bytes.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
            if len(head[0].split(" ")) != 3:
                return
            path = head[0].split(" ")[1]
            headers = dict(line.split(": ", 1) for line in head[1:])
            self.requests.append((path, {name.lower(): value for name, value in headers.items()}))
            answer = self.answers.get(path, Answer(status="404 Not Found"))
            length = len(answer.body) if answer.declared_length is None else answer.declared_length
            lines = [f"HTTP/1.1 {answer.status}", f"Content-Length: {length}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in answer.headers.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body)
            await writer.drain()
            if answer.hang:
                await reader.read()
        except ConnectionError:  # the reader gave up, as it may
            return
        finally:
            writer.close()


@asynccontextmanager
async def feed_server() -> AsyncIterator[FeedServer]:
    feeds = FeedServer()
    server = await asyncio.start_server(feeds.handle, "127.0.0.1", 0)
    feeds.port = server.sockets[0].getsockname()[1]
    async with server:
        yield feeds
