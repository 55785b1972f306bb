"""`postroom chats`: the chats that posts are broadcast to."""

import csv
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from common.chats import Chat, ChatEntry, Chats, Removal
from common.telegram.addresses import NoAddress, checked, is_name_alone
from postroom.commands.chat_addresses import MINUS_IS_NO_OPTION
from postroom.connections import connected
from postroom.output import Json, Refused, ago, print_json, print_table, run, told

app = typer.Typer(
    no_args_is_help=True, help="The chats that posts are broadcast to: list, add, disable, delete, import."
)

COLUMNS = ("address", "title", "min_messages")
WRONG_LINES_SHOWN = 10


@app.command("list")
def list_chats(as_json: Json = False) -> None:
    """List the chats, with what the userbot has learnt of them."""

    async def find() -> list[Chat]:
        async with connected() as system:
            return await Chats(system.database).all()

    found = run(find)
    if as_json:
        print_json([asdict(chat) for chat in found])
    elif not found:
        typer.echo("No chats. Add them with `postroom chats add`, or name them in a broadcast.")
    else:
        print_table(
            ("Chat", "Title", "Enabled", "Last post", "Messages since", "At least", "Problem"),
            (
                (chat.address, chat.title, "yes" if chat.enabled else "NO", ago(chat.last_success_post_at),
                 chat.messages_since_post, chat.min_messages_between, chat.flag_reason or chat.flag)
                for chat in found
            ),
        )  # fmt: skip


@app.command(context_settings=MINUS_IS_NO_OPTION)
def add(
    addresses: Annotated[list[str], typer.Argument(help="@names, links to them, or ids such as -1001234567890.")],
    title: Annotated[str | None, typer.Option(help="What people call it; for one chat.")] = None,
    min_messages: Annotated[
        int | None, typer.Option(help="So many messages of others between two of our posts.", min=0)
    ] = None,
    enabled: Annotated[
        bool | None, typer.Option("--enabled/--disabled", help="Whether anything is sent there.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add chats, or change them: what is not given stays as it is."""
    if title is not None and len(addresses) > 1:
        raise typer.BadParameter("goes with one chat", param_hint="--title")
    _put([ChatEntry(address, title, min_messages, enabled) for address in _checked(addresses)], as_json=as_json)


Addresses = Annotated[list[str], typer.Argument(help="As `postroom chats list` shows them; links and ids do as well.")]


@app.command(context_settings=MINUS_IS_NO_OPTION)
def disable(addresses: Addresses, as_json: Json = False) -> None:
    """Have nothing sent to chats any more, whoever asks for it. `postroom chats add ADDRESS --enabled` undoes it."""
    wanted = _checked(addresses)

    async def work() -> None:
        async with connected() as system:
            await Chats(system.database).disable(wanted)

    run(work)
    if as_json:
        print_json({"disabled": wanted})
    else:
        for address in wanted:
            typer.echo(f"{address} is disabled: nothing is sent there.")


@app.command(context_settings=MINUS_IS_NO_OPTION)
def delete(addresses: Addresses, as_json: Json = False) -> None:
    """Delete chats, with what was learnt of them. Those that a route or a broadcast names are disabled instead."""
    wanted = _checked(addresses)

    async def work() -> list[Removal]:
        async with connected() as system:
            return await Chats(system.database).delete(wanted)

    done = run(work)
    if as_json:
        disabled = {each.address: each.because for each in done if each.because}
        print_json({"deleted": [each.address for each in done if not each.because], "disabled": disabled})
        return
    for each in done:
        what = f"is not deleted but disabled: {each.because}." if each.because else "is deleted."
        typer.echo(f"{each.address} {what}")


@app.command("import")
def import_chats(
    file: Annotated[Path, typer.Argument(help="One address per line, or CSV.", exists=True, dir_okay=False)],
    as_json: Json = False,
) -> None:
    """Add chats from a file: address, and perhaps title and min_messages. All lines are checked before any is taken."""
    with told():
        entries = _read(file)
    _put(entries, as_json=as_json)


def _checked(addresses: list[str]) -> list[str]:
    try:
        return [checked(address) for address in addresses]
    except NoAddress as error:
        raise typer.BadParameter(str(error), param_hint="ADDRESSES") from None


def _put(entries: list[ChatEntry], *, as_json: bool) -> None:
    async def put() -> int:
        async with connected() as system:
            return await Chats(system.database).put(entries)

    each = len({entry.address for entry in entries})
    added = run(put)
    counts = {"added": added, "updated": each - added, "repeated": len(entries) - each}
    if as_json:
        print_json(counts)
    else:
        typer.echo(", ".join(f"{count} {what}" for what, count in counts.items()))


def _read(file: Path) -> list[ChatEntry]:
    """Return the chats of a file. Raises Refused, with the lines that are wrong."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise Refused(f"{file}: it is not UTF-8") from None
    entries, wrong = [], []
    for number, row in _rows(lines):
        problems = _problems(row)
        if problems:
            wrong.append(f"line {number}: {', and '.join(problems)}")
        else:
            entries.append(_entry(row))
    if wrong:
        more = f"; and {len(wrong) - WRONG_LINES_SHOWN} more" if len(wrong) > WRONG_LINES_SHOWN else ""
        raise Refused(f"{file}: nothing was taken: {'; '.join(wrong[:WRONG_LINES_SHOWN])}{more}")
    if not entries:
        raise Refused(f"{file}: it names no chat")
    return entries


def _rows(lines: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows with their line numbers, by column; without a line of names the columns are in the usual order."""
    said = [
        (number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")
    ]
    if not said:
        return
    delimiter = max(",;\t", key=said[0][1].count)
    columns: tuple[str, ...] = COLUMNS
    for number, line in said:
        [cells] = csv.reader([line], delimiter=delimiter, skipinitialspace=True)
        names = tuple(cell.strip().lower() for cell in cells)
        if number == said[0][0] and "address" in names:
            columns = names
            continue
        yield number, dict(zip(columns, (cell.strip() for cell in cells), strict=False))


def _problems(row: dict[str, str]) -> list[str]:
    """Return all that is wrong with a row. A word alone is no address here: it may be a title, or a column's name."""
    problems = []
    address = row.get("address", "")
    if is_name_alone(address):
        problems.append(f"{address!r} is no chat: write @{address}, or name the columns in the first line")
    else:
        try:
            checked(address)
        except NoAddress as error:
            problems.append(str(error))
    given = row.get("min_messages", "")
    if given and not (given.isascii() and given.isdigit() and int(given) < 2**31):
        problems.append(f"min_messages is {given!r}, and must be a whole number")
    return problems


def _entry(row: dict[str, str]) -> ChatEntry:
    given = row.get("min_messages", "")
    return ChatEntry(row["address"], row.get("title") or None, int(given) if given else None)
