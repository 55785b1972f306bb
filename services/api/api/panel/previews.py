"""A post as each network would get it, made and measured by what the publisher itself uses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from api.panel.prose import prose
from api.resources.inbox import fit_of
from common.planning.fitting import FITTED
from common.planning.limits import Fit
from common.planning.refusals import NoTarget
from common.planning.targets import PLATFORMS, platform_named
from common.planning.x_text import thread
from common.telegram.text import RichText

NETWORKS = {"telegram": "Telegram", "instagram": "Instagram", "x": "X"}


@dataclass(frozen=True, slots=True)
class Preview:
    """What one network gets: one text, or the posts of a thread. `cut`: more was written than it takes."""

    network: str
    parts: tuple[Markup, ...]
    fit: Fit
    cut: bool

    @property
    def left(self) -> int:
        """How much more it takes; negative where there is too much."""
        return self.fit.limit - self.fit.count

    @property
    def threaded(self) -> bool:
        """Whether it becomes several posts, so that its length is nothing to mend."""
        return len(self.parts) > 1

    @property
    def over(self) -> bool:
        """Whether it is too long."""
        return self.left < 0 and not self.threaded


@dataclass(frozen=True, slots=True)
class Target:
    """One target of a post, with what is left of its limit."""

    network: str
    address: str
    preview: Preview


@lru_cache(maxsize=512)
def preview(network: str, body: RichText, *, media: bool) -> Preview:
    """Return what a network gets of a text. Raises NoTarget for one that is not known."""
    fit = fit_of(network, body, media=media)
    sent = FITTED[network](body, caption=media)
    posts = [RichText(text=part) for part in thread(sent.text)] if network == "x" else [sent]
    parts = tuple(prose(each.text, each.entities) for each in posts)
    whole = fit.count <= fit.limit or network == "x"
    return Preview(network, parts, fit, cut=not whole)


def targets(addresses: Iterable[str], body: RichText, *, media: bool) -> Sequence[Target]:
    """Return the targets of a post, with how a text fits; those of a platform that is not known are left out."""
    found = []
    for each in addresses:
        name, _, address = each.partition(":")
        try:
            network = platform_named(name)
        except NoTarget:
            continue
        found.append(Target(network, address, preview(network, body, media=media)))
    return sorted(found, key=lambda target: PLATFORMS.index(target.network))
