"""The languages of the panel: gettext catalogues, read from their .po files at the start. English is the key."""

import gettext
from functools import cache
from importlib.resources import files
from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Return the texts of a language: those of all its catalogues. English has none."""
    if language == "en":
        return gettext.NullTranslations()
    joined = Catalog(locale=language)
    for catalogue in catalogues(language).values():
        for message in catalogue:
            if message.id and message.string and not message.fuzzy:
                joined.add(message.id, message.string, flags=message.flags, context=message.context)
    compiled = BytesIO()
    write_mo(compiled, joined)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def catalogues(language: str) -> dict[str, Catalog]:
    """Return the catalogues of a language by name: one per screen, and `shared`."""
    folder = files(__package__).joinpath("locale", language)
    return {
        entry.name.removesuffix(".po"): read_po(BytesIO(entry.read_bytes()), locale=language)
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".po")
    }
