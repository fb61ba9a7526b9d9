"""What the commands on journeys are given: a file, a template, the versions in the store."""

from pathlib import Path

import click

from services.commands.welcome import first_project
from services.metrics.service import newest
from shared.journeys import templates
from shared.journeys.definition import Definition, DefinitionError, load
from shared.runtime import open_database, open_store
from shared.settings import Settings
from shared.store import reads
from shared.store.engine import reading
from shared.store.rows import JourneyRow


def read(file: Path) -> tuple[str, Definition]:
    """A file's text and the definition it gives; its faults are told all at once."""
    try:
        text = file.read_text("utf-8-sig")
        return text, load(text)
    except (DefinitionError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file} is no journey:\n{error}") from None


def template(name: str) -> str:
    """The text of a template."""
    try:
        return templates.text(name)
    except KeyError:
        known = ", ".join(templates.names())
        raise click.ClickException(f"there is no template {name!r}; there are {known}") from None


async def newest_rows(settings: Settings, test: bool) -> list[JourneyRow]:
    """The newest version of each journey of the first project, or of its test project."""
    async with open_store(settings), open_database(settings) as database:
        project = (await first_project(database, test)).project
        async with reading(database) as db:
            return newest(await reads.journeys(db, project))


def spelt_stages(definition: Definition) -> str:
    """A definition's stages on one line."""
    ordered = " → ".join(stage.name for stage in definition.stages if not stage.side)
    aside = ", ".join(stage.name for stage in definition.stages if stage.side)
    return f"{ordered}; beside: {aside}" if aside else ordered
