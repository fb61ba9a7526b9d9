"""`milepost journeys add`."""

from pathlib import Path

import click

from services.commands.journeys.given import hold, read, spelt_stages
from services.commands.journeys.given import template as template_text
from services.commands.serving import data_option, run, test_option
from services.commands.welcome import first_project
from shared.journeys import templates
from shared.journeys.definition import Definition
from shared.runtime import open_database, open_store
from shared.settings import Settings
from shared.settings import load as load_settings
from shared.store import reads
from shared.store.engine import reading
from shared.store.rows import JourneyRow
from shared.store.versions import answering


@click.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--template", metavar="NAME", help="Add one of `milepost journeys templates` instead of a file.")
@data_option
@test_option
def add_journey(file: Path | None, template: str | None, data: Path | None, test: bool) -> None:
    """Add the journey of FILE, or a new version of one: the short way of `milepost journeys publish`."""
    publish(file, template, data, test)


def publish(file: Path | None, template: str | None, data: Path | None, test: bool, held: bool = False) -> None:
    """Publishes a file's journey or a template, and says what comes of it."""
    settings = load_settings(data=data)
    if file is not None and template is None:
        text, definition = read(file, settings)
    elif template is not None and file is None:
        text, definition = template_text(template), templates.load(template)
    else:
        raise click.UsageError("give a FILE or a --template, one of them")
    hold(settings, test, file or f"the template {template}", definition)
    row, answers = run(_publish(settings, definition, text, test, held))
    if answers:
        said = "is in force"
    elif row.filled:
        said = f"waits for `milepost journeys cut-over {row.name}`"
    else:
        said = "is being filled; see `milepost journeys status`"
    click.echo(f"{row.name} version {row.number} {said}: {spelt_stages(definition)}.")


async def _publish(
    settings: Settings, definition: Definition, text: str, test: bool, held: bool
) -> tuple[JourneyRow, bool]:
    """The version, and whether it answers."""
    async with open_store(settings) as store, open_database(settings) as database:
        project = (await first_project(database, test)).project
        row = await store.add_journey(project, definition.name, text, held)
        async with reading(database) as db:
            return row, row.version in {one.version for one in answering(await reads.journeys(db, project))}
