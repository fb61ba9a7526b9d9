"""`milepost journeys show`, `validate`, `explain` and `diff`: what a definition says."""

from pathlib import Path

import click

from services.commands.assembly import teller
from services.commands.journeys.given import find
from services.commands.serving import data_option, test_option
from services.commands.tables import plain
from shared.journeys.definition import DefinitionError, load
from shared.journeys.difference import differences
from shared.journeys.explanation import LANGUAGES, explain_stages
from shared.settings import load as load_settings

language_option = click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)


@click.command()
@click.argument("name")
@click.option("--version", "number", type=int, help="The version of this number, instead of the one in force.")
@data_option
@test_option
def show(name: str, number: int | None, data: Path | None, test: bool) -> None:
    """Show the YAML of the journey NAME as it was published."""
    named = name if number is None else f"{name}@{number}"
    found = find(load_settings(data=data), test, named)
    if found.row is None:
        raise click.ClickException(f"{found.called} is not published; `milepost journeys list` shows what is")
    click.echo(found.text, nl=False)


@click.command()
@click.argument("files", type=click.Path(exists=True, dir_okay=False, allow_dash=True), nargs=-1, required=True)
def validate(files: tuple[str, ...]) -> None:
    """List everything that is wrong in FILES, with line, column and remedy. Exit code 1 if anything is.

    Works without a store. A FILE of `-` is standard input.
    """
    faulty, tells = 0, teller(load_settings())
    for file in files:
        try:
            with click.open_file(file, encoding="utf-8-sig") as opened:
                definition = load(opened.read(), tells)
        except UnicodeDecodeError as error:
            faulty += 1
            click.echo(f"{file}: the text is not UTF-8 ({error.reason} at byte {error.start}) — save it as UTF-8")
        except DefinitionError as error:
            faulty += 1
            for problem in error.problems:
                place = f"{file}:{problem.line}:{problem.column}" if problem.line else file
                path = f"{problem.path}: " if problem.path else ""
                click.echo(plain(f"{place}: {path}{problem.message} — {problem.remedy}"))
        else:
            stages = "1 stage" if len(definition.stages) == 1 else f"{len(definition.stages)} stages"
            tried = f"; `milepost journeys test {file}` tries its examples" if definition.examples else ""
            click.echo(f"{file}: {definition.name} is a journey of {stages}{tried}.")
    if faulty:
        raise SystemExit(1)


@click.command()
@click.argument("named", metavar="FILE|NAME")
@language_option
@data_option
@test_option
def explain(named: str, language: str, data: Path | None, test: bool) -> None:
    """Say in words what leads into each stage.

    A NAME is that of a journey (its version in force), NAME@NUMBER (one of its versions) or a template's.
    """
    definition = find(load_settings(data=data), test, named).definition
    click.secho(f"{definition.title.text(language)} ({definition.name})", bold=True)
    if definition.description:
        click.echo(definition.description.strip())
    for told in explain_stages(definition, language):
        called = told.title if told.title == told.stage else f"{told.title} ({told.stage})"
        click.echo()
        click.secho(plain(called), bold=True)
        for line in (told.enter, *told.rules):
            click.echo(f"  {plain(line)}")


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@language_option
@data_option
@test_option
def diff(before: str, after: str, language: str, data: Path | None, test: bool) -> None:
    """Say what is different in B.

    A and B are files, names of journeys (their versions in force), NAME@NUMBER (one of the versions) or templates.
    """
    settings = load_settings(data=data)
    one, other = find(settings, test, before), find(settings, test, after)
    found = differences(one.text, other.text, language)
    for difference in found:
        click.echo(plain(str(difference)))
    if not found:
        click.echo(f"{one.called} and {other.called} say the same.")
