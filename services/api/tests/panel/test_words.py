"""The languages of the panel: every text has its translation, and every translation its text."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

import api.panel
from api.http.problems import KINDS
from api.panel.viewer import preferred_language
from api.panel.words import catalogues

PANEL = Path(api.panel.__file__).parent
OPTIONS = {"templates/**.html": {"trim_blocks": "true", "extensions": "jinja2.ext.do"}}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%")
Key = tuple[str, str | None]


def texts() -> dict[Key, str]:
    """The texts of templates and screens, and where they are."""
    found = {}
    for file, line, message, _, context in extract_from_dir(str(PANEL), METHODS, OPTIONS):
        found[message if isinstance(message, str) else message[0], context] = f"{file}:{line}"
    return found


def translated() -> dict[Key, list[str]]:
    """The catalogues that have a text."""
    found: dict[Key, list[str]] = {}
    for name, catalogue in catalogues("ru").items():
        for message in catalogue:
            if message.id:
                key = message.id if isinstance(message.id, str) else message.id[0]
                found.setdefault((key, message.context), []).append(name)
    return found


def test_every_text_is_translated() -> None:
    known = translated()
    missing = {where: text for text, where in texts().items() if text not in known}
    assert missing == {}


def test_a_text_is_translated_once() -> None:
    assert {key: names for key, names in translated().items() if len(names) > 1} == {}


def test_titles_of_problems_are_translated() -> None:
    shown = {
        title for kind, (_, title) in KINDS.items() if kind not in ("method-not-allowed", "in-progress", "key-reused")
    }
    assert {(title, None) for title in shown} <= set(translated())


def test_translations_are_whole() -> None:
    """No empty text, all plural forms, the same placeholders."""
    for name, catalogue in catalogues("ru").items():
        for message in catalogue:
            if not message.id:
                continue
            ids = (message.id,) if isinstance(message.id, str) else message.id
            strings = (message.string,) if isinstance(message.string, str) else message.string
            assert all(strings), f"{name}: {message.id} has an empty translation"
            assert len(strings) == (1 if len(ids) == 1 else 3), f"{name}: {message.id}"
            wanted = set(PLACEHOLDER.findall(ids[-1]))
            for string in strings:
                assert set(PLACEHOLDER.findall(string)) <= wanted, f"{name}: {message.id}"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("ru-RU,ru;q=0.9,en;q=0.8", "ru"), ("de,en;q=0.5", "en"), ("en;q=0.1,ru", "ru"), ("", "en"), ("x;q=y,,;", "en")],
)
def test_a_browser_says_which_language_it_prefers(accepted: str, language: str) -> None:
    assert preferred_language(accepted) == language
