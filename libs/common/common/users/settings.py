"""How long who has signed in stays so."""

from pydantic import Field

from common.settings import SettingsGroup


class SignInSettings(SettingsGroup):
    """Sessions of the panel, https://pages.nist.gov/800-63-3/sp800-63b.html#sec7"""

    session_idle_days: float = Field(default=7.0, gt=0, le=365, description="a session not used for so long ends")
    session_days: float = Field(default=30.0, gt=0, le=365, description="every session ends after so long")
