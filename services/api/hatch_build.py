"""Puts the panel's scripts and fonts of others into the wheel; see api/panel/assets.py."""

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PanelAssets(BuildHookInterface):  # type: ignore[type-arg]
    """Fetches them before the wheel is built, where npm can be found; without them the API works, the panel doesn't."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's signature
        """Fetch what is missing. Who installs for development does so by `make install`."""
        if self.target_name != "wheel" or version == "editable":
            return
        assets = runpy.run_path(str(Path(self.root) / "api" / "panel" / "assets.py"))
        try:
            assets["fetch"]()
        except assets["NotFetched"] as failure:
            self.app.display_warning(f"This wheel lacks the panel's scripts and fonts: {failure}")
