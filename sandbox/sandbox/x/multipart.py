"""The parts of a form that bears files: https://www.rfc-editor.org/rfc/rfc7578."""

import re

NAME = re.compile(r'[;\s]name="([^"]*)"')
BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)


def parts_of(body: bytes, content_type: str) -> dict[str, bytes]:
    """Return the fields of a multipart/form-data body by name, the last of each. Raises ValueError for a broken one."""
    found = BOUNDARY.search(content_type)
    if found is None:
        raise ValueError("there is no boundary")
    parts: dict[str, bytes] = {}
    for piece in (b"\r\n" + body).split(b"\r\n--" + found[1].encode())[1:]:
        head, divided, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if piece.startswith(b"--"):
            return parts
        name = NAME.search(head.decode("utf-8", "replace"))
        if not divided or name is None:
            raise ValueError("a part has no name")
        parts[name[1]] = content
    raise ValueError("the form has no end")
