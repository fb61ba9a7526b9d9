"""The command line: which commands there are, and how their errors are told. Each group of commands has a room in
`services.commands`; this is the only module, with those, that knows several services."""

from importlib import import_module

import click

from shared.log.port import LogMismatch, LogUnavailable, PositionLost
from shared.runtime import Died, FolderInUse
from shared.settings import BadSettings
from shared.store.port import Conflict, StoreMismatch, StoreUnavailable

#: Command → its room, which is imported when the command is asked for, and what it does.
COMMANDS = {
    "up": ("up", "Run everything in one process, with nothing to install."),
    "demo": ("demo", "Fill a running server with a simulated shop."),
    "setup": ("setup", "Make the topic and the schema that the services need."),
    "ingest": ("server", "Run ingest alone, over Kafka and PostgreSQL."),
    "stager": ("server", "Run a stager alone, over Kafka and PostgreSQL."),
    "metrics": ("server", "Run metrics alone, over Kafka and PostgreSQL."),
    "keys": ("access", "Write keys, which sites send events with."),
    "tokens": ("access", "Query tokens, which people ask questions with."),
    "journeys": ("journeys", "The journeys in force, and new ones."),
    "place": ("placing", "Set a customer in a stage by hand."),
    "exclude": ("excluding", "Hide touchpoints: of staff, of tests, of a bot."),
    "unmerge": ("unmerging", "Take apart what was made one customer by mistake."),
    "import": ("importing", "Bring in events from a file."),
    "check": ("check", "Count that nothing was lost."),
    "tail": ("tail", "Watch what comes in."),
    "rejections": ("rejections", "Events that were refused, and why."),
    "dead-letters": ("dead_letters", "What on the log could not be decoded, and putting it right."),
    "settings": ("setup", "Show every setting in force and where it came from."),
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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with what they do, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        room = import_module(f"services.commands.{COMMANDS[cmd_name][0]}")
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
