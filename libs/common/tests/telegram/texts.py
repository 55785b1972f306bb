"""Generated texts and entities: everything that makes counting and cutting hard."""

from hypothesis import strategies as st

from common.telegram.entities import Entity, EntityKind
from common.telegram.text import RichText
from common.telegram.utf16 import utf16_length

HARD = (
    "👩‍👩‍👧‍👦", "👩🏽‍💻", "🇷🇺", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️", "1️⃣", "é", "й", "Z̴̢͈a̷l", "שלום", "مرحبا", "नमस्ते", "각", "\r\n", "😀",
    "Слово ", "Конец. ", "Да! ", "т. д. ", "word", "\n\n", " ", " ", "https://e.org/a_b?c=1 ", "#тег ", "@name ", "…",
)  # fmt: skip

texts = st.lists(
    st.one_of(st.sampled_from(HARD), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))),
    max_size=40,
).map("".join)


@st.composite
def rich_texts(draw: st.DrawFn) -> RichText:
    text = draw(texts)
    # Entities begin and end between code points, as Telegram's do.
    bounds = [0]
    for character in text:
        bounds.append(bounds[-1] + utf16_length(character))
    entities = []
    for _ in range(draw(st.integers(0, 6)) if text else 0):
        first, last = sorted(draw(st.tuples(st.sampled_from(bounds), st.sampled_from(bounds))))
        if first < last:
            kind = draw(st.sampled_from(EntityKind))
            url = "https://example.org/" if kind is EntityKind.TEXT_LINK else None
            entities.append(Entity(kind=kind, offset=first, length=last - first, url=url))
    return RichText.repaired(text, entities)


def piece(rich: RichText, entity: Entity) -> str:
    """The text that an entity marks."""
    units = rich.text.encode("utf-16-le")
    return units[2 * entity.offset : 2 * entity.end].decode("utf-16-le")


def pieces(rich: RichText) -> list[tuple[str, str]]:
    """Kind and text of each entity."""
    return [(entity.kind.value, piece(rich, entity)) for entity in rich.entities]
