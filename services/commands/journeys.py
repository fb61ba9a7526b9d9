"""`milepost journeys`: the journeys in force, and new ones."""

from pathlib import Path

import click

from services.commands.serving import data_option, run, test_option
from services.commands.tables import instant, table
from services.commands.welcome import first_project
from services.metrics.service import newest
from shared.journeys import templates
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

    A journey is a YAML file that says which stages there are and what leads into each. Templates are journeys that
    come with Milepost, to take as they are or to change.
    """


@journeys.command("list")
@data_option
@test_option
def list_journeys(data: Path | None, test: bool) -> None:
    """Show each journey's newest version and its stages."""
    rows = run(_newest(load_settings(data=data), test))
    head = ("JOURNEY", "VERSION", "ADDED (UTC)", "STAGES")
    table(head, [(row.name, row.number, instant(row.made_at), _stages(load(row.definition))) for row in rows])


@journeys.command("templates")
@click.argument("name", required=False)
def list_templates(name: str | None) -> None:
    """Show the journeys that come with Milepost, or the YAML of the one called NAME.

    To change one: `milepost journeys templates NAME > FILE`, edit FILE, and add it.
    """
    if name is not None:
        click.echo(_template(name), nl=False)
        return
    made = [templates.load(template) for template in templates.names()]
    table(("TEMPLATE", "TITLE", "STAGES"), [(one.name, one.title.text(), _stages(one)) for one in made])


@journeys.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--template", metavar="NAME", help="Add one of `milepost journeys templates` instead of a file.")
@data_option
@test_option
def add_journey(file: Path | None, template: str | None, data: Path | None, test: bool) -> None:
    """Add the journey of FILE, or a new version of one; every customer is then derived by it.

    Problems in the file are listed all at once, each with its line and a remedy. The same file again changes nothing.
    """
    if file is not None and template is None:
        text, definition = _read(file)
    elif template is not None and file is None:
        text, definition = _template(template), templates.load(template)
    else:
        raise click.UsageError("give a FILE or a --template, one of them")
    row = run(_add(load_settings(data=data), definition, text, test))
    click.echo(f"{row.name} version {row.number} is in force: {_stages(definition)}.")


def _read(file: Path) -> tuple[str, Definition]:
    try:
        text = file.read_text("utf-8-sig")
        return text, load(text)
    except (DefinitionError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file} is no journey:\n{error}") from None


def _template(name: str) -> str:
    try:
        return templates.text(name)
    except KeyError:
        known = ", ".join(templates.names())
        raise click.ClickException(f"there is no template {name!r}; there are {known}") from None


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
