"""Who uses the command line, for records of what people decided."""

import getpass


def person() -> str:
    """Return the name of the account at this machine."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name, as in a container
        return "cli"
