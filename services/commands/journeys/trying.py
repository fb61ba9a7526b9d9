"""`milepost journeys test`: a definition's own examples."""

from pathlib import Path

import click

from services.commands.journeys.given import find, setting
from services.commands.journeys.showing import language_option
from services.commands.serving import data_option, run, test_option
from services.commands.tables import instant, plain
from shared.journeys.compile import compile_journey
from shared.journeys.trial import Tried, try_examples
from shared.settings import load as load_settings


@click.command("test")
@click.argument("named", metavar="FILE|NAME")
@click.option("--example", "title", help="Only the example of this title.")
@language_option
@data_option
@test_option
def try_journey(named: str, title: str | None, language: str, data: Path | None, test: bool) -> None:
    """Try the definition's own examples: given these events, this stage at this time.

    Exit code 1 if one fails, which also keeps the definition from being published. Times without an offset are of
    the project's time zone.
    """
    settings = load_settings(data=data)
    given = find(settings, test, named)
    tried = try_examples(compile_journey(given.definition, run(setting(settings, test))), title, language)
    if title is not None and not tried:
        known = ", ".join(example.title for example in given.definition.examples) or "none at all"
        raise click.ClickException(f"{given.called} has no example {title!r}; there are: {known}")
    failed = {one.example for one in tried if not one.holds}
    for example in dict.fromkeys(one.example for one in tried):
        click.echo(f"{click.style('fails', fg='red') if example in failed else 'holds'}  {plain(example)}")
        for one in tried:
            if one.example == example and not one.holds:
                _tell(one, given.called)
    examples = len({one.example for one in tried})
    click.echo(f"{examples - len(failed):,} of {examples:,} examples hold." if examples else _none(given.called))
    if failed:
        raise SystemExit(1)


def _tell(tried: Tried, called: str) -> None:
    line = f" ({called}, line {tried.where.line})" if tried.where.line else ""
    click.echo(f"       {instant(tried.at)} UTC: expected {tried.expected}, came {tried.came}{line}")
    click.echo(f"       {plain(tried.reason)}")


def _none(called: str) -> str:
    return f"{called} has no examples: add some under `examples:`, so that its rules say what you mean."
