"""Whatever stands in what people see, it is text: it runs nowhere, loads nothing, and is read as it was written."""

import json
import re
from collections.abc import Iterator
from itertools import cycle
from typing import Any

from playwright.async_api import Page, Request

from common.postgres import Database
from common.telegram.entities import Entity, EntityKind
from common.telegram.text import RichText
from common.telegram.utf16 import storable, utf16_length
from common.testing.newsroom import Newsroom

from .conftest import Panel
from .payloads import ADDRESSES, PAYLOADS
from .screens import listed

# What people, sources, models, platforms and services write, and is shown somewhere.
WRITTEN = {
    "posts": ("title", "text"),
    "rewrites": ("title", "text", "reason", "image_prompt", "model"),
    "routings": ("reason", "decided_by"),
    "sources": ("title",),
    "source_states": ("last_error",),
    "profiles": ("name", "style", "instructions", "model"),
    "destinations": ("title",),
    "routes": ("name",),
    "chats": ("title", "flag_reason"),
    "auto_posting_rules": ("name", "created_by"),
    "rule_executions": ("error",),
    "budgets": ("name",),
    "alerts": ("title", "detail"),
    "notifications": ("title", "detail"),
    "dead_letters": ("error_class", "error"),
    "jobs": ("last_error", "error_class"),
    "job_attempts": ("error", "error_class"),
    "log_records": ("event",),
    "model_calls": ("model",),
    "publications": ("last_error", "text"),
    "userbot_tasks": ("last_error", "account", "paused_by"),
    "broadcast_attempts": ("error", "account"),
    "queue_pauses": ("reason", "paused_by"),
    "illustrations": ("prompt", "reason", "model"),
    "audit_log": ("actor",),
    "webhooks": ("description",),
    "service_beats": ("detail", "address", "version"),
    "users": ("name",),
    "scheduled_posts": ("last_error", "created_by"),
    "post_media": ("mime_type",),
}
HAPPENED = """() => {
  const body = document.body.cloneNode(true);
  body.querySelectorAll('textarea').forEach((each) => each.remove());
  const runs = /^(on|hx-on|data-hx-on)/, loads = /^(src|srcset|href|action|formaction|data|style|hx-get|hx-post)$/;
  const made = ({name, value}) => runs.test(name) || (loads.test(name) && /^\\W*hit|\\/hit/.test(value));
  const leads = (element) => element.href && !/^(https?|mailto|tel|tg):/.test(element.href.baseVal ?? element.href);
  const all = [...document.querySelectorAll('*')], told = (element) => element.outerHTML.slice(0, 200);
  const texts = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  const within = /^(A|B|I|U|S|CODE|PRE|INS|DEL|MARK|BDI)$/;
  let text = '', last = null;
  while (texts.nextNode()) {
    const parent = texts.currentNode.parentElement;
    if (last && parent !== last && !within.test(parent.tagName) && !within.test(last.tagName)) text += '␟';
    text += texts.currentNode.data;
    last = parent;
  }
  return {
    text,
    hit: Boolean(window.wasHit),
    made: all.filter((element) => [...element.attributes].some(made)).map(told),
    links: all.filter(leads).map(told),
  };
}"""
MARK = re.compile(r"⟦(\d+)⟧")


def marked(number: int) -> str:
    """Return a payload behind a mark that it is found by."""
    return f"⟦{number}⟧{storable(PAYLOADS[number])}"


async def poison(newsroom: Newsroom) -> None:
    """Write payloads into everything that is written, one after the other."""
    numbers = cycle(range(len(PAYLOADS)))
    for table, columns in WRITTEN.items():
        for row in await newsroom.database.fetch(f"SELECT ctid::text AS place FROM {table}"):
            await _write(newsroom.database, table, row["place"], {column: marked(next(numbers)) for column in columns})
    for post_id in newsroom.in_order:
        body = linked(numbers)
        marks = body.to_json()["entities"]
        await newsroom.database.execute(
            "UPDATE posts SET text = $2, entities = $3, url = $4, title = $5 WHERE id = $1",
            post_id,
            body.text,
            marks,
            storable(ADDRESSES[next(numbers) % len(ADDRESSES)]),
            marked(next(numbers)),
        )
        text = body.text, marks, [storable(PAYLOADS[next(numbers)]) for _ in range(3)]
        await newsroom.database.execute(
            "UPDATE rewrites SET text = $2, entities = $3, hashtags = $4 WHERE post_id = $1", post_id, *text
        )
        await newsroom.database.execute(
            "UPDATE publications SET text = $2, entities = $3 WHERE post_id = $1", post_id, *text[:2]
        )
    fields = {storable(PAYLOADS[number]): marked(number) for number in range(len(PAYLOADS))}
    await newsroom.database.execute(
        "UPDATE log_records SET fields = fields || $1::jsonb", {**fields, "error": marked(3)}
    )
    await newsroom.database.execute(
        "UPDATE auto_posting_rules SET content_config = content_config || $1::jsonb",
        {"title": marked(next(numbers)), "description": marked(next(numbers))},
    )
    await newsroom.database.execute("UPDATE publications SET url = $1", "javascript:hit()")


def linked(numbers: Iterator[int]) -> RichText:
    """Return all payloads as one text, with every kind of mark, and links to where nobody should go."""
    text, marks = "", []
    for place, address in enumerate(ADDRESSES):
        line = marked(next(numbers))
        kind = list(EntityKind)[place % len(EntityKind)]
        given = {"url": storable(address)} if kind is EntityKind.TEXT_LINK else {}
        offset, length = utf16_length(text), utf16_length(line)
        marks.append(Entity(kind=kind, offset=offset, length=length, **given))
        marks.append(Entity(kind=EntityKind.TEXT_LINK, offset=offset, length=length, url=storable(address)))
        text += f"{line}\n"
    marks.append(Entity(kind=EntityKind.PRE, offset=0, length=3, language='"><script>hit()</script>'))
    return RichText.repaired(text, marks)


async def _write(database: Database, table: str, place: str, values: dict[str, str]) -> None:
    assigned = ", ".join(
        f"{column} = CASE WHEN {column} IS NOT NULL THEN ${number} END" for number, column in enumerate(values, 2)
    )
    await database.execute(f"UPDATE {table} SET {assigned} WHERE ctid = $1::text::tid", place, *values.values())


async def test_text_stays_text(panel: Panel, newsroom: Newsroom) -> None:
    await poison(newsroom)
    found: list[str] = []
    whole: set[int] = set()

    def asked(request: Request) -> None:
        if re.search(r"/hit\b|hit\.example", request.url):
            found.append(f"{page.url}: asked for {request.url}")

    context = await panel.context("admin")
    await panel.api.database.execute("UPDATE users SET name = $1", marked(0))
    await context.add_init_script("window.hit = () => { window.wasHit = true }")
    context.on("request", asked)
    await context.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # parts alone name no icon
    page = await context.new_page()
    for path, screen in listed("page", "part").items():
        await page.set_extra_http_headers({"HX-Request": "true"} if screen.kind == "part" else {})
        for view in screen.views:
            address = f"{screen.at(path, newsroom)}{view}"
            answer = await page.goto(address)
            assert answer
            found += [f"{address}: {answer.status}"] if answer.status != 200 else []
            shown = await _shown(page)
            found += [f"{address}: a script ran"] if shown["hit"] else []
            found += [f"{address}: made from text: {each}" for each in shown["made"]]
            found += [f"{address}: leads nowhere good: {each}" for each in shown["links"]]
            for number, after in _marked(shown["text"]):
                if _is_whole(number, after):
                    whole.add(number)
                elif not _is_cut(number, after):
                    found.append(f"{address}: {PAYLOADS[number]!r} reads {after!r}")
    assert not found, "\n" + "\n".join(found)
    nowhere = [PAYLOADS[number] for number in range(len(PAYLOADS)) if number not in whole]
    assert not nowhere, nowhere


async def _shown(page: Page) -> dict[str, Any]:
    shown: dict[str, Any] = await page.evaluate(HAPPENED)
    return shown


def _marked(text: str) -> Iterator[tuple[int, str]]:
    """Yield the payloads that are shown, and what is read in the place of each."""
    marks = list(MARK.finditer(text))
    for place, mark in enumerate(marks):
        end = marks[place + 1].start() if place + 1 < len(marks) else len(text)
        yield int(mark[1]), text[mark.end() : min(end, mark.end() + 1000)]


def _is_whole(number: int, shown: str) -> bool:
    """Whether a payload is read as it was written, if perhaps as a string of JSON."""
    written = storable(PAYLOADS[number])
    ways = written, json.dumps(written, ensure_ascii=False)[1:-1], json.dumps(written)[1:-1]
    return any(_bare(shown.replace("␟", "")).startswith(_bare(way)) for way in ways)


def _is_cut(number: int, shown: str) -> bool:
    """Whether it is the beginning of a payload."""
    read = re.split(r"…|␟|\s{3,}|$", shown, maxsplit=1)[0]
    return _bare(storable(PAYLOADS[number])).startswith(_bare(read))


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)
