"""How the API listens."""

import asyncio
import socket

from starlette.responses import Response

from api.http.server import ApiServer


async def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_headers() -> None:
    """Else each request on a connection that is kept takes 40 ms longer."""
    seen: list[int] = []

    async def app(scope: object, receive: object, send: object) -> None:
        await Response("x")(scope, receive, send)  # type: ignore[arg-type]

    server = ApiServer(app, "127.0.0.1", 0)
    running = asyncio.create_task(server.serve())
    loop = asyncio.get_running_loop()
    made = loop._make_socket_transport  # type: ignore[attr-defined]

    def note(sock: socket.socket, *arguments: object, **named: object) -> object:
        transport = made(sock, *arguments, **named)
        seen.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        return transport

    loop._make_socket_transport = note  # type: ignore[attr-defined]
    port = int(server.url.rpartition(":")[2])
    ours = await asyncio.to_thread(socket.create_connection, ("127.0.0.1", port))
    with ours:
        ours.setblocking(False)
        await loop.sock_sendall(ours, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert (await loop.sock_recv(ours, 100)).startswith(b"HTTP/1.1 200")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert seen == [1]
