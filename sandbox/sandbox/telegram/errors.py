"""What Telegram answers when it refuses a call."""


class RpcError(Exception):
    """A refusal, as the client gets it: a code like HTTP's and a name.

    The names, their codes and what they mean: https://core.telegram.org/api/errors
    """

    def __init__(self, code: int, name: str) -> None:
        super().__init__(f"{code} {name}")
        self.code = code
        self.name = name

    @classmethod
    def bad_request(cls, name: str) -> "RpcError":
        """The call can't be carried out as it is (400)."""
        return cls(400, name)

    @classmethod
    def forbidden(cls, name: str) -> "RpcError":
        """The account may not do this here (403)."""
        return cls(403, name)

    @classmethod
    def wait(cls, seconds: int, kind: str = "FLOOD_WAIT") -> "RpcError":
        """Too often (420): to be repeated after `seconds`."""
        return cls(420, f"{kind}_{seconds}")
