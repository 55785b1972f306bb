"""Processes that start at once: they are forked from one that has imported everything already.

To import the command line or a service takes a second or two of processor time, which is most of what a short command
needs. What runs is the same: `python -m MODULE` in a process of its own, with directory, environment and streams of its
own.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

PRELOADED = ("postroom.cli", "postroom.signing_in", "api.app", "rewriter.app", "common.testing.warm")


def run(
    module: str, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: str = "", timeout: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run `python -m MODULE ARGUMENTS` in a new session and return what it said.

    Raises subprocess.TimeoutExpired where it does not end within `timeout` seconds; then it is killed.
    """
    command = [sys.executable, "-m", module, *arguments]
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return subprocess.run(
            command, cwd=cwd, env=dict(env), input=stdin, capture_output=True, text=True, check=False, timeout=timeout
        )
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    with tempfile.TemporaryDirectory(prefix="postroom-command-") as folder:
        streams = [Path(folder) / name for name in ("stdin", "stdout", "stderr")]
        streams[0].write_text(stdin, "utf-8")
        process = context.Process(
            target=_become, args=(module, list(arguments), str(cwd), dict(env), [str(path) for path in streams])
        )
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, timeout)
        said = [path.read_text("utf-8") if path.exists() else "" for path in streams[1:]]
        assert process.exitcode is not None
        return subprocess.CompletedProcess(command, process.exitcode, *said)


def _become(module: str, arguments: list[str], cwd: str, env: dict[str, str], streams: list[str]) -> None:
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    for number, path in enumerate(streams):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(path, flags)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process runs
    sys.argv = [module, *arguments]
    sys.path[0:0] = [] if cwd in sys.path else [cwd]  # as `python -m` does
    runpy.run_module(module, run_name="__main__", alter_sys=True)
