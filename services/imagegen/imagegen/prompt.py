"""What the model is asked to draw where nobody has said it."""

from common.telegram.cutting import cut
from common.telegram.text import RichText

LONGEST_MATERIAL = 600  # UTF-16 code units: with what is around it a prompt fits into the 1,000 of dall-e-2
AROUND = (
    "An illustration for a news post, in a realistic and calm style. "
    "There is no text in the picture: no letters, no figures, no logos.\n\nThe post:\n"
)


def prompt_for(title: str, text: str) -> str:
    """Return a prompt made of a post; empty where the post has no words."""
    material = "\n\n".join(part for part in (title.strip(), text.strip()) if part)
    return AROUND + cut(RichText(text=material), LONGEST_MATERIAL).text if material else ""
