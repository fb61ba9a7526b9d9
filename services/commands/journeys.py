"""`milepost journeys`: the journeys in force, and new ones."""

from pathlib import Path

import click

from services.commands.serving import data_option, run, test_option
from services.commands.tables import instant, table
from services.commands.welcome import first_project
from services.metrics.service import newest
from shared.journeys.definition import Definition, DefinitionError, load
from shared.runtime import open_database, open_store
from shared.settings import Settings
from shared.settings import load as load_settings
from shared.store import reads
from shared.store.engine import reading
from shared.store.rows import JourneyRow


@click.group()
def journeys() -> None:
    """The journeys in force, and new ones.

    A journey is a YAML file that says which stages there are and what leads into each.
    """


@journeys.command("list")
@data_option
@test_option
def list_journeys(data: Path | None, test: bool) -> None:
    """Show each journey's newest version and its stages."""
    rows = run(_newest(load_settings(data=data), test))
    head = ("JOURNEY", "VERSION", "ADDED (UTC)", "STAGES")
    table(head, [(row.name, row.number, instant(row.made_at), _stages(load(row.definition))) for row in rows])


@journeys.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_option
@test_option
def add_journey(file: Path, data: Path | None, test: bool) -> None:
    """Add the journey of FILE, or a new version of one; every customer is then derived by it.

    Problems in the file are listed all at once, each with its line and a remedy. The same file again changes nothing.
    """
    try:
        text = file.read_text("utf-8-sig")
        definition = load(text)
    except (DefinitionError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file} is no journey:\n{error}") from None
    row = run(_add(load_settings(data=data), definition, text, test))
    click.echo(f"{row.name} version {row.number} is in force: {_stages(definition)}.")


async def _newest(settings: Settings, test: bool) -> list[JourneyRow]:
    async with open_store(settings), open_database(settings) as database:
        project = (await first_project(database, test)).project
        async with reading(database) as db:
            return newest(await reads.journeys(db, project))


async def _add(settings: Settings, definition: Definition, text: str, test: bool) -> JourneyRow:
    for row in await _newest(settings, test):
        if (row.name, row.definition) == (definition.name, text):
            return row
    async with open_store(settings) as store, open_database(settings) as database:
        return await store.add_journey((await first_project(database, test)).project, definition.name, text)


def _stages(definition: Definition) -> str:
    ordered = " → ".join(stage.name for stage in definition.stages if not stage.side)
    aside = ", ".join(stage.name for stage in definition.stages if stage.side)
    return f"{ordered}; beside: {aside}" if aside else ordered


COMMANDS = {"journeys": journeys}
