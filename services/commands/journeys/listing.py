"""`milepost journeys list` and `templates`."""

from pathlib import Path

import click

from services.commands.journeys.given import answering_rows, spelt_stages, template
from services.commands.serving import data_option, run, test_option
from services.commands.tables import instant, table
from shared.journeys import templates
from shared.journeys.definition import load
from shared.settings import load as load_settings


@click.command("list")
@data_option
@test_option
def list_journeys(data: Path | None, test: bool) -> None:
    """Show the version of each journey that answers, and its stages."""
    rows = run(answering_rows(load_settings(data=data), test))
    head = ("JOURNEY", "VERSION", "ADDED (UTC)", "STAGES")
    table(head, [(row.name, row.number, instant(row.made_at), spelt_stages(load(row.definition))) for row in rows])


@click.command("templates")
@click.argument("name", required=False)
def list_templates(name: str | None) -> None:
    """Show the journeys that come with Milepost, or the YAML of the one called NAME.

    To change one: `milepost journeys templates NAME > FILE`, edit FILE, and add it.
    """
    if name is not None:
        click.echo(template(name), nl=False)
        return
    made = [templates.load(one) for one in templates.names()]
    table(("TEMPLATE", "TITLE", "STAGES"), [(one.name, one.title.text(), spelt_stages(one)) for one in made])
