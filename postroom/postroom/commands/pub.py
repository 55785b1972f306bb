"""`postroom pub`: raw bytes onto a subject."""

from typing import Annotated

import typer
from nats.errors import Error as NatsError
from nats.js.errors import NoStreamResponseError

from common.contracts import topology
from postroom.connections import addresses, connect_nats
from postroom.output import Json, Refused, print_json, run


def pub(
    subject: Annotated[str, typer.Argument(help="For example publish.requested.")],
    body: Annotated[str, typer.Argument(help='The body as it is, for example {"post_id":"…"}; "-" reads stdin.')],
    anyway: Annotated[bool, typer.Option("--anyway", help="Also where the subject is not one of ours.")] = False,
    as_json: Json = False,
) -> None:
    """Publish raw bytes with no headers, exactly as the `nats` client would, and say where the stream put them."""
    if not anyway and subject not in topology().subjects:
        known = ", ".join(name for name in topology().subjects if not name.startswith("$"))
        raise typer.BadParameter(
            f"nobody takes {subject}, so it would be dropped; there are {known}", param_hint="SUBJECT"
        )
    payload = typer.get_binary_stream("stdin").read() if body == "-" else body.encode()
    stream, sequence = run(lambda: _pub(subject, payload))
    if as_json:
        print_json({"stream": stream, "sequence": sequence})
    else:
        typer.echo(f"{stream} has it as message {sequence}")


async def _pub(subject: str, payload: bytes) -> tuple[str, int]:
    _, url = addresses()
    client = await connect_nats(url)
    try:
        ack = await client.jetstream().publish(subject, payload, timeout=5)
    except NoStreamResponseError:
        raise Refused(f"no stream takes {subject}; is it misspelt?") from None
    except (NatsError, ValueError) as error:
        raise Refused(f"{subject} was not taken: {str(error) or type(error).__name__}") from None
    finally:
        await client.close()
    return ack.stream, ack.seq
