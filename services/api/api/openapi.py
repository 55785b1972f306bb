"""`python -m api.openapi`: writes the OpenAPI document to services/api/openapi.json; `--check` compares only."""

import json
import sys
from pathlib import Path

from api.http.application import make_application
from api.resources import routers

FILE = Path(__file__).parents[1] / "openapi.json"


def document() -> str:
    """Return the document as it is committed."""
    app = make_application(routers())
    return json.dumps(app.state.document, ensure_ascii=False, indent=1) + "\n"


def main() -> int:
    """Write or compare."""
    if "--check" not in sys.argv[1:]:
        FILE.write_text(document(), encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == document():
        return 0
    print(f"{FILE.name} is not what the API says of itself: run `make contracts`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
