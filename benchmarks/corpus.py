"""A slice of the corpus: the first posts of each of its channels, in a directory that may be thrown away."""

import os
from itertools import islice
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


class NoCorpus(Exception):
    """The corpus is not on this machine; the message says where it was looked for."""


def corpus_slice(directory: Path, posts_per_channel: int) -> int:
    """Copy the first posts of each channel into `directory` and return how many there are. Raises NoCorpus."""
    corpus = Path(os.environ.get("POSTROOM_CORPUS", REPOSITORY.parent / "shared" / "data")) / "posts_ru"
    channels = sorted(corpus.glob("*.jsonl"))
    if not channels:
        raise NoCorpus(f"no corpus at {corpus} (POSTROOM_CORPUS names the directory above it)")
    copied = 0
    for channel in channels:
        with channel.open(encoding="utf-8") as lines:
            taken = list(islice(lines, posts_per_channel))
        (directory / channel.name).write_text("".join(taken), encoding="utf-8")
        copied += len(taken)
    return copied
