"""Carries out injected faults on Telegram calls."""

import math
import re
from collections.abc import Callable

from sandbox.faults import Fault, Faults
from sandbox.telegram.errors import RpcError
from sandbox.telegram.wire import error_code

WAIT = re.compile(r"_WAIT_\d+$")


class Troubles:
    """The faults of `telegram:<method>`, with the method named as in TL (`telegram:messages.SendMessage`).

    Kinds:

    - `rpc_error`: the call is refused with `message` (`PEER_FLOOD`, `CHAT_WRITE_FORBIDDEN`, …).
    - `flood_wait`: 420 FLOOD_WAIT_x for `seconds`. It stays in force for the account, method and chat until the time is
      over: who comes earlier gets the wait that remains.
    - `slow_mode`: the same with SLOWMODE_WAIT_x.
    - `delay`: the call is carried out after `seconds`.
    - `lost_answer`: the call is carried out and never answered.
    - `drop`: the connection is cut; the call is not carried out.
    - `drop_after`: the call is carried out, and the connection cut before the answer.
    - `error_after`: the call is carried out, and answered with `message` as if it were not (`RPC_CALL_FAIL`, …).
    - `random_id_duplicate`: the call is carried out unless it was before, and answered with 500 RANDOM_ID_DUPLICATE.
    - `revoke`: the session is revoked: 401 SESSION_REVOKED for this call and all that follow.
    - `auth_key_duplicated`: the session is destroyed: 406 AUTH_KEY_DUPLICATED for this call and all that follow.
    """

    LATER_KINDS = (
        "delay",
        "lost_answer",
        "drop",
        "drop_after",
        "error_after",
        "random_id_duplicate",
        "revoke",
        "auth_key_duplicated",
    )

    def __init__(self, faults: Faults, clock: Callable[[], float]) -> None:
        self._faults = faults
        self._clock = clock
        self._waits: dict[tuple[int | None, str, int | None], tuple[float, str]] = {}

    def befalling(self, method: str, account: int | None, chat: int | None) -> Fault | None:
        """The fault that befalls this call, if any; a wait that is in force is raised."""
        call = (account, method, chat)
        if self._waits:
            self._check_wait(call)
        fault = self._faults.take(f"telegram:{method}", account=account, chat=chat)
        if fault is None:
            return None
        if fault.kind in ("flood_wait", "slow_mode"):
            name = "FLOOD_WAIT" if fault.kind == "flood_wait" else "SLOWMODE_WAIT"
            self._waits[call] = (self._clock() + fault.seconds, name)
            self._check_wait(call)
        if fault.kind == "rpc_error":
            raise refusal(fault.message or "INTERNAL")
        if fault.kind not in self.LATER_KINDS:
            raise RpcError(500, f"SANDBOX_FAULT_UNKNOWN_{fault.kind.upper()}")
        return fault

    def _check_wait(self, call: tuple[int | None, str, int | None]) -> None:
        if call not in self._waits:
            return
        until, name = self._waits[call]
        remaining = until - self._clock()
        if remaining > 0:
            raise RpcError.wait(math.ceil(remaining), name)
        del self._waits[call]


def refusal(name: str) -> RpcError:
    """The refusal of this name with the code that Telegram gives it; 400 for one that Telethon doesn't know."""
    if WAIT.search(name):
        return RpcError(420, name)
    return RpcError(error_code(name), name)
