"""`milepost journeys`: the journeys in force, and new ones. Each group of commands has a file here."""

import click

from services.commands.journeys import versions
from services.commands.journeys.adding import add_journey
from services.commands.journeys.ahead import dry_run
from services.commands.journeys.fitting import fit_journey
from services.commands.journeys.listing import list_journeys, list_templates
from services.commands.journeys.showing import diff, explain, show, validate
from services.commands.journeys.trying import try_journey


@click.group()
def journeys() -> None:
    """The journeys in force, and new ones.

    A journey is a YAML file that says which stages there are and what leads into each. Templates are journeys that
    come with Milepost, to take as they are or to change.
    """


for command in (
    list_journeys,
    list_templates,
    show,
    explain,
    validate,
    try_journey,
    dry_run,
    fit_journey,
    diff,
    add_journey,
    *versions.OF_VERSIONS,
):
    journeys.add_command(command)

COMMANDS = {"journeys": journeys}
