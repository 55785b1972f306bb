"""Everything the endpoint can say about one post; a schema then picks from it."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from sandbox.model.rewriting import Rewriter, language_of


@dataclass(frozen=True)
class Draft:
    """A source text, its rewrite, and on demand what follows from them. `seed` sets the choices of one request."""

    source: str
    text: str
    seed: str

    @cached_property
    def language(self) -> str:
        """The language of the source: an ISO 639 code, `und` where it is unknown."""
        return language_of(self.source)

    @cached_property
    def plain(self) -> str:
        """The source without Telegram's markdown and without addresses."""
        linked = re.sub(r"\[([^\]\n]*)\]\([^)\s]*\)", r"\1", self.source)
        return re.sub(r"\*\*|__|~~|\|\||`+|https?://\S+|@\w+", "", linked).strip()

    @cached_property
    def title(self) -> str:
        """The first sentence, cut at a word to about 80 characters."""
        first = re.split(r"(?<=[.!?…])\s|\n", self.plain.lstrip("#▪—•◦ "), maxsplit=1)[0].strip()
        return shorten(first or self.plain or self.source, 80).rstrip(" .,:;—-")

    @cached_property
    def summary(self) -> str:
        """The first two hundred characters, cut at a word."""
        return shorten(" ".join(self.plain.split()), 200)

    @cached_property
    def hashtags(self) -> tuple[str, ...]:
        """The source's own hashtags, or else its most frequent long words; with `#`, at most five."""
        own = [f"#{tag}" for tag in re.findall(r"(?<!\w)#([^\W\d]\w*)", self.source)]
        if own:
            return tuple(dict.fromkeys(own))[:5]
        words = Counter(re.findall(r"[^\W\d_]{6,24}", self.plain.lower()))
        ranked = sorted(words, key=lambda word: (-words[word], -len(word), word))
        return tuple(f"#{word}" for word in ranked[:3]) or ("#news",)

    @cached_property
    def image_prompt(self) -> str:
        """What a picture for the post would show, in English around the post's own title."""
        return f"An editorial illustration without lettering for the story: {self.title}"

    @cached_property
    def link(self) -> str:
        """The first address in the source, or an example one."""
        found = re.search(r"https?://[^\s)\]]+", self.source)
        return found.group() if found else "https://example.com/"


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters of the text, ended at a word and with an ellipsis where it was cut."""
    if len(text) <= limit:
        return text
    if limit < 2:
        return text[:limit]
    head = text[: limit - 1]
    space = head.rfind(" ")
    return (head[:space] if space > limit // 2 else head).rstrip() + "…"


def draft(source: str, rewriter: Rewriter, seed: str, *, writing: bool = False) -> Draft:
    """Rewrite the source and return what can be said about it; of a brief its first paragraph becomes the heading."""
    heading, _, rest = source.partition("\n\n")
    if writing and rest.strip():
        return Draft(source, f"{heading}\n\n{rewriter.rewrite(rest, seed)}", seed)
    return Draft(source, rewriter.rewrite(source, seed), seed)
