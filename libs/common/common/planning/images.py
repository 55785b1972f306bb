"""Which platforms get an image made for a post that shows none."""

from typing import Literal

from pydantic import Field

from common.settings import SettingsGroup


class PlatformImages(SettingsGroup):
    """What becomes of posts without an image; the same for whoever plans posts and for the publisher."""

    instagram_image: Literal["require", "generate"] = Field(
        default="require", description="a post without an image is refused, or has one made first"
    )

    @property
    def made_for(self) -> frozenset[str]:
        """The platforms for which an image is made."""
        return frozenset({"instagram"} if self.instagram_image == "generate" else ())
