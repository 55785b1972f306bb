"""`python -m api.openapi`: writes the OpenAPI document to services/api/openapi.json; `--check` compares only."""

import json
import sys
from pathlib import Path

from api.http.application import make_application
from api.resources import routers
from common.contracts.generated import write_or_check

FILE = Path(__file__).parents[1] / "openapi.json"


def document() -> str:
    """Return the document as it is committed."""
    app = make_application(routers())
    return json.dumps(app.state.document, ensure_ascii=False, indent=1) + "\n"


def main() -> int:
    """Write or compare."""
    what, source = "openapi.json from the API's routes", "the API says of itself"
    return write_or_check({FILE: document()}, what=what, source=source)


if __name__ == "__main__":
    sys.exit(main())
