"""`milepost journeys add`."""

from pathlib import Path

import click

from services.commands.journeys.given import hold, newest_rows, read, spelt_stages
from services.commands.journeys.given import template as template_text
from services.commands.serving import data_option, run, test_option
from services.commands.welcome import first_project
from shared.journeys import templates
from shared.journeys.definition import Definition
from shared.runtime import open_database, open_store
from shared.settings import Settings
from shared.settings import load as load_settings
from shared.store.rows import JourneyRow


@click.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--template", metavar="NAME", help="Add one of `milepost journeys templates` instead of a file.")
@data_option
@test_option
def add_journey(file: Path | None, template: str | None, data: Path | None, test: bool) -> None:
    """Add the journey of FILE, or a new version of one; every customer is then derived by it.

    Problems in the file are listed all at once, each with its line and a remedy. A journey of which an example of its
    own fails is not added. The same file again changes nothing.
    """
    settings = load_settings(data=data)
    if file is not None and template is None:
        text, definition = read(file, settings)
    elif template is not None and file is None:
        text, definition = template_text(template), templates.load(template)
    else:
        raise click.UsageError("give a FILE or a --template, one of them")
    hold(settings, test, file or f"the template {template}", definition)
    row = run(_add(settings, definition, text, test))
    click.echo(f"{row.name} version {row.number} is in force: {spelt_stages(definition)}.")


async def _add(settings: Settings, definition: Definition, text: str, test: bool) -> JourneyRow:
    for row in await newest_rows(settings, test):
        if (row.name, row.definition) == (definition.name, text):
            return row
    async with open_store(settings) as store, open_database(settings) as database:
        return await store.add_journey((await first_project(database, test)).project, definition.name, text)
