"""Files on their way up and down (https://core.telegram.org/api/files)."""

from typing import Any

from sandbox.telegram.errors import RpcError
from sandbox.telegram.handlers.calls import Call, Routes
from sandbox.telegram.wire import fn, tl

routes = Routes()

DOWNLOAD_MAX_BYTES = 1024 * 1024
DOWNLOAD_STEP_BYTES = 1024


@routes.handles(fn.upload.SaveFilePartRequest, fn.upload.SaveBigFilePartRequest)
def save_part(call: Call, request: Any) -> Any:
    """Take a part of a file: of a big one, 400 FILE_PARTS_INVALID if it has no such part."""
    if isinstance(request, fn.upload.SaveBigFilePartRequest) and request.file_part >= request.file_total_parts:
        raise RpcError.bad_request("FILE_PARTS_INVALID")
    call.world.files.keep_part(call.user, request.file_id, request.file_part, request.bytes)
    return True


@routes.handles(fn.upload.GetFileRequest)
def get_file(call: Call, request: Any) -> Any:
    """Give a part of a file: 400 OFFSET_INVALID, LIMIT_INVALID or LOCATION_INVALID."""
    if request.offset < 0 or request.offset % DOWNLOAD_STEP_BYTES:
        raise RpcError.bad_request("OFFSET_INVALID")
    if not 0 < request.limit <= DOWNLOAD_MAX_BYTES or request.limit % DOWNLOAD_STEP_BYTES:
        raise RpcError.bad_request("LIMIT_INVALID")
    file_id = getattr(request.location, "id", None)
    if file_id is None:
        raise RpcError.bad_request("LOCATION_INVALID")
    content = call.world.files.slice(file_id, request.offset, request.limit)
    return tl.upload.File(tl.storage.FileUnknown(), int(call.world.clock()), content)
