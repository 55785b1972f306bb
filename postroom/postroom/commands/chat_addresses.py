"""Addresses of chats as they are typed on the command line."""

from collections.abc import Sequence

import typer

from common.telegram.addresses import NoAddress, checked

# Ids of groups and channels begin with a minus, which would else be the beginning of an option.
MINUS_IS_NO_OPTION = {"ignore_unknown_options": True}


def chat_addresses(given: Sequence[str], option: str) -> tuple[str, ...]:
    """Return the addresses of options that may be repeated and separated by commas, each once.

    Raises typer.BadParameter, also where the option is given and names no chat: what a script's empty variable leaves
    must not mean the chats that are the default.
    """
    try:
        found = [checked(address) for each in given for address in each.split(",") if address.strip()]
    except NoAddress as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
    if given and not found:
        raise typer.BadParameter("it names no chat", param_hint=option)
    return tuple(dict.fromkeys(found))
