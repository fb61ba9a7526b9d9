"""Who runs a command."""

import getpass


def login() -> str:
    """The login name; of a user without one, that it was the command line."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "the command line"
