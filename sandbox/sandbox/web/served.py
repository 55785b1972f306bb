"""The files of messages over HTTP: shown where a browser shows them, downloaded otherwise."""

from urllib.parse import quote

from starlette.responses import Response

# Only what is shown by a page of ours is served as what it is, and only if its own first bytes say so: a file that
# somebody uploaded must not become a page of ours.
SHOWN = {
    "image/png": (0, b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": (0, b"\xff\xd8\xff"),
    "image/webp": (8, b"WEBP"),
    "image/gif": (0, b"GIF8"),
    "video/mp4": (4, b"ftyp"),
}


def shown_as(content: bytes) -> str | None:
    """Return the media type of a picture or video that pages show; None for everything else."""
    return next((kind for kind, (at, magic) in SHOWN.items() if content[at : at + len(magic)] == magic), None)


def serve_file(content: bytes, name: str | None) -> Response:
    """Answer with a file. It never changes, so it may be kept for a year."""
    kind = shown_as(content)
    headers = {"cache-control": "max-age=31536000, immutable", "x-content-type-options": "nosniff"}
    if kind is None:  # https://www.rfc-editor.org/rfc/rfc6266: `filename*` takes names in any script
        headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(name or 'file', safe='')}"
    return Response(content, media_type=kind or "application/octet-stream", headers=headers)
