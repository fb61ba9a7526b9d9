"""`milepost setup` and `milepost settings`: making what the services need, and showing what they are told."""

import click

from services.commands.serving import run, start_logging
from services.commands.welcome import furnish
from shared.runtime import folder, make, open_database, open_store
from shared.settings import Settings, in_force, load


@click.command()
def setup() -> None:
    """Make the topic and the schema, or bring them up to date.

    The services start only on what this has made. It also makes the project `default` and publishes the journey
    `lifecycle`, if there are none. Doing it again changes nothing; it works beside running services.
    """
    chosen = load()
    start_logging(chosen)
    run(_setup(chosen))
    log = f"the topic {chosen.topic}" if chosen.kafka else f"the log in {folder(chosen)}"
    store = "PostgreSQL" if chosen.database.get_secret_value() else f"the store in {folder(chosen)}"
    click.echo(f"Ready: {log} with {chosen.partitions} partitions, and {store}.")


async def _setup(chosen: Settings) -> None:
    await make(chosen)
    async with open_store(chosen) as store, open_database(chosen) as database:
        await furnish(store, database, chosen)


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


COMMANDS = {"setup": setup, "settings": settings}
