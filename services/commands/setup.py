"""`milepost setup` and `milepost settings`: making what the services need, and showing what they are told."""

import click

from shared.settings import in_force, load


@click.command()
def settings() -> None:
    """Show every setting in force and where it came from.

    A setting is a variable in the environment, or a line NAME=value in the file that MILEPOST_SETTINGS_FILE names.
    Secrets are masked. Exit code 1, with all faults listed, if a setting is wrong.
    """
    rows = in_force()
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        columns = "  ".join(f"{text:{width}}" for text, width in zip(row[:3], widths, strict=True))
        click.echo(f"{columns}  {click.style(row.meaning, dim=True)}")
    load()


COMMANDS = {"settings": settings}
