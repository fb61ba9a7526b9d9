"""The stage table of every journey, from the store."""

import click
from sqlalchemy.ext.asyncio import AsyncEngine

from services.commands.tables import table
from shared.journeys.definition import load
from shared.journeys.engine import NONE
from shared.store import reads
from shared.store.engine import reading
from shared.store.reads import Project
from shared.store.versions import answering


async def show_stages(database: AsyncEngine, project: Project) -> None:
    """Prints how many customers stand in each stage now."""
    async with reading(database) as db:
        for row in answering(await reads.journeys(db, project.project)):
            stages = load(row.definition).stages
            counts = await reads.population(db, project.project, row.version)
            click.echo(f"\n{row.name}, {sum(counts.values()):,} customers:\n")
            rows = [(stage.name, counts.get(number, 0), stage.means or "") for number, stage in enumerate(stages)]
            table(("STAGE", "CUSTOMERS", "MEANS"), [*rows, ("none", counts.get(NONE, 0), "")])
