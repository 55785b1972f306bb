"""`python -m postroom.stack.together NAME …`: several services in one process, for small machines."""

import asyncio
import importlib
import sys

from common import service as services


def main() -> None:
    """Run the named services in one event loop; when one ends, all end."""
    names, sys.argv[1:] = sys.argv[1:], []
    runs = [importlib.import_module(f"{name}.app").run for name in names]

    async def run(stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            for each in runs:
                group.create_task(each(stop))

    services.main("postroom", "Several services in one process.", run)


if __name__ == "__main__":
    main()
