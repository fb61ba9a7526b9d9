"""What the commands on journeys are given: a file, a template, a version in the store."""

from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import click

from services.commands.assembly import teller
from services.commands.serving import run
from services.commands.welcome import first_project
from shared.journeys import templates
from shared.journeys.compile import compile_journey
from shared.journeys.definition import Definition, DefinitionError, load
from shared.journeys.setting import Setting
from shared.journeys.trial import hold_examples
from shared.runtime import open_database, open_store
from shared.settings import Settings
from shared.store import reads
from shared.store.engine import reading
from shared.store.port import StoreMismatch, StoreUnavailable
from shared.store.rows import JourneyRow
from shared.store.versions import answering


class Given(NamedTuple):
    """A definition: what people call it, its YAML, and what it says; `row` if it is a version in the store."""

    called: str
    text: str
    definition: Definition
    row: JourneyRow | None = None


def read(file: Path, settings: Settings) -> tuple[str, Definition]:
    """A file's text and the definition it gives by the settings' tables; its faults are told all at once."""
    try:
        text = file.read_text("utf-8-sig")
        return text, load(text, teller(settings))
    except (DefinitionError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file} is no journey:\n{error}") from None


def template(name: str) -> str:
    """The text of a template."""
    try:
        return templates.text(name)
    except KeyError:
        known = ", ".join(templates.names())
        raise click.ClickException(f"there is no template {name!r}; there are {known}") from None


async def versions(settings: Settings, test: bool) -> list[JourneyRow]:
    """Every version of every journey of the first project, or of its test project."""
    async with open_store(settings), open_database(settings) as database:
        project = (await first_project(database, test)).project
        async with reading(database) as db:
            return await reads.journeys(db, project)


async def answering_rows(settings: Settings, test: bool) -> list[JourneyRow]:
    """The version of each journey that answers."""
    return answering(await versions(settings, test))


def find(settings: Settings, test: bool, named: str) -> Given:
    """The definition of a file, of a journey (its version in force), of NAME@NUMBER or of a template.

    A store is looked into only for what is no file.
    """
    if (file := Path(named)).is_file() or "/" in named or file.suffix in (".yaml", ".yml"):
        if not file.is_file():
            raise click.ClickException(f"there is no file {named}")
        return Given(named, *read(file, settings))
    name, _, number = named.partition("@")
    rows: Sequence[JourneyRow] = []
    with suppress(StoreMismatch, StoreUnavailable):  # a template needs none
        rows = run(versions(settings, test))
    if (row := version(rows, name, number)) is not None:
        return Given(f"{row.name} version {row.number}", row.definition, load(row.definition), row)
    if number or name not in templates.names():
        raise click.ClickException(_missing(rows, name, number))
    return Given(f"the template {name}", templates.text(name), templates.load(name))


def version(rows: Sequence[JourneyRow], name: str, number: str | int = "") -> JourneyRow | None:
    """The version of this number, or the one that answers."""
    asked = rows if number else answering(rows)
    return next((row for row in asked if row.name == name and str(number) in ("", str(row.number))), None)


def _missing(rows: Sequence[JourneyRow], name: str, number: str) -> str:
    numbers = [str(row.number) for row in rows if row.name == name]
    if numbers:
        return f"there is no version {number} of {name}; there are {', '.join(numbers)}"
    known = list(dict.fromkeys([*(row.name for row in rows), *templates.names()]))
    near = get_close_matches(name, known, 1)
    remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    return f"there is no file and no journey {name!r}: {remedy}"


async def setting(settings: Settings, test: bool) -> Setting:
    """What journeys of the project are read in; where there is no store yet, of the one that would be made."""
    zone = settings.time_zone
    with suppress(StoreMismatch, StoreUnavailable):
        async with open_store(settings), open_database(settings) as database:
            zone = (await first_project(database, test)).time_zone
    return Setting(ZoneInfo(zone), teller(settings))


def hold(settings: Settings, test: bool, called: Path | str, definition: Definition) -> None:
    """Refuses a definition of which an example of its own fails: it is not published."""
    try:
        hold_examples(compile_journey(definition, run(setting(settings, test))))
    except DefinitionError as error:
        raise click.ClickException(f"{called} does not do what its own examples say:\n{error}") from None


def spelt_stages(definition: Definition) -> str:
    """A definition's stages on one line."""
    ordered = " → ".join(stage.name for stage in definition.stages if not stage.side)
    aside = ", ".join(stage.name for stage in definition.stages if stage.side)
    return f"{ordered}; beside: {aside}" if aside else ordered
