"""A Chromium without a window, that many tests share."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-port=0",
)
START_SECONDS = 60.0


def executable() -> str | None:
    """Return the path of Chromium, the one that POSTROOM_CHROMIUM names; None where there is none."""
    wanted = os.environ.get("POSTROOM_CHROMIUM")
    return next(filter(None, map(shutil.which, [wanted] if wanted else NAMES)), None)


@contextmanager
def running(path: str) -> Iterator[str]:
    """Run it, and return the address that it is driven by."""
    with tempfile.TemporaryDirectory(prefix="postroom-chromium-", ignore_cleanup_errors=True) as directory:
        with (Path(directory) / "log").open("wb") as log:
            process = subprocess.Popen(
                [path, *FLAGS, f"--user-data-dir={directory}/profile", "about:blank"], stdout=log, stderr=log
            )
        try:
            yield _address(process, Path(directory))
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[bytes], directory: Path) -> str:
    end = time.monotonic() + START_SECONDS
    told = directory / "profile" / "DevToolsActivePort"  # https://chromedevtools.github.io/devtools-protocol/
    while time.monotonic() < end and process.poll() is None:
        if told.exists() and len(lines := told.read_text().split("\n")) > 1:
            return f"http://127.0.0.1:{lines[0]}"
        time.sleep(0.05)
    raise RuntimeError(f"Chromium did not start: {(directory / 'log').read_text(errors='replace')[-2000:]}")
