"""Settings from files: `.env`, and those that `<NAME>_FILE` names."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from common.settings import SettingsGroup, load_settings


class Fellow(SettingsGroup):
    """Two settings."""

    fellow_name: str = "nobody"
    fellow_token: SecretStr = SecretStr("")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
def test_files_are_utf8_and_an_editors_mark_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(mark + "FELLOW_NAME=Анна\r\n".encode())
    (tmp_path / "token").write_bytes(mark + b"secret\r\n")
    monkeypatch.setenv("FELLOW_TOKEN_FILE", str(tmp_path / "token"))
    fellow = load_settings(Fellow)
    assert (fellow.fellow_name, fellow.fellow_token.get_secret_value()) == ("Анна", "secret")
