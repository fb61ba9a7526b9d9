"""The command line: which commands there are, and how their errors are told. Each group of commands has a room in
`services.commands`; this is the only module, with those, that knows several services."""

from importlib import import_module

import click

from shared.log.port import LogMismatch, LogUnavailable, PositionLost
from shared.runtime import Died, FolderInUse
from shared.settings import BadSettings
from shared.store.port import Conflict, StoreMismatch, StoreUnavailable

#: Command → its room. A room is imported when one of its commands is asked for.
COMMANDS = {
    "up": "up",
    "demo": "demo",
    "setup": "setup",
    "ingest": "server",
    "stager": "server",
    "metrics": "server",
    "keys": "access",
    "tokens": "access",
    "journeys": "journeys",
    "import": "importing",
    "check": "check",
    "tail": "tail",
    "settings": "setup",
}

#: Errors that whoever runs the command can act on: their text says what is wrong and what to do.
TOLD = (
    BadSettings,
    Conflict,
    FolderInUse,
    LogMismatch,
    LogUnavailable,
    PositionLost,
    StoreMismatch,
    StoreUnavailable,
)


class Commands(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        room = import_module(f"services.commands.{COMMANDS[cmd_name]}")
        command: click.Command = room.COMMANDS[cmd_name]
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command; an error to act on becomes one line and exit code 1."""
        try:
            return super().invoke(ctx)
        except TOLD as error:
            raise click.ClickException(str(error)) from None
        except Died as error:
            if isinstance(error.__cause__, TOLD):
                raise click.ClickException(str(error)) from None
            raise


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="milepost", message="Milepost %(version)s")
def main() -> None:
    """Milepost tracks where every customer stands on their journey.

    `milepost up` starts everything in one process, with nothing to install; `milepost demo` then fills it with a
    simulated shop. Every setting is a MILEPOST_ variable: `milepost settings` shows them.
    """


if __name__ == "__main__":
    main(prog_name="milepost")
