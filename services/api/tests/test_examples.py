"""The examples of docs/api.md, as they stand there."""

import asyncio
import re
from pathlib import Path

from .conftest import Api

GUIDE = Path(__file__).parents[3] / "docs" / "api.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_the_commands_of_the_guide_work(api: Api) -> None:
    blocks = [block for block in BLOCK.findall(GUIDE.read_text(encoding="utf-8")) if "postroom token list" not in block]
    assert len(blocks) > 5
    script = "set -euo pipefail\n" + "\n".join(blocks) + '\ntest -n "$BROADCAST$TAG"\n'
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        script,
        env={
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "API": f"{api.url}/api/v1",
            "TOKEN": str(api.http.headers["Authorization"]).removeprefix("Bearer "),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode() + output.decode()
