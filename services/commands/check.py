"""`milepost check`: that nothing was lost and nothing counted twice."""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy.ext.asyncio import AsyncEngine

from services.commands.counting import Report, count
from services.commands.serving import data_option, run
from services.commands.tables import table
from services.commands.walk import walk
from shared.log.port import Log
from shared.log.spool_folder import waiting
from shared.runtime import open_database, open_log, open_store
from shared.settings import Settings, load
from shared.store import admin
from shared.store.engine import reading, writing


@click.command()
@data_option
@click.option("--deep", is_flag=True, help="Also find every record of the log among the touchpoints, one by one.")
@click.option("--accept-lost", is_flag=True, help="First go on behind records that are gone from the log, as lost.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(data: Path | None, deep: bool, accept_lost: bool, as_json: bool) -> None:
    """Count from rows that every event is accounted for and every customer stands in one place.

    What was accepted is on the log or in the spool. For each partition: records on the log = staged + duplicates +
    dead letters + lost + pending; with --deep, those excluded are counted apart. For each stage, the ledger's entries,
    the roll-ups and the customers' own states say the same. Works beside running servers, and reads whole tables. Exit
    code 1 if it does not hold.
    """
    report = run(_check(load(data=data), deep, accept_lost))
    if as_json:
        partitions = [one._asdict() | {"difference": one.difference} for one in report.partitions]
        stages = [one._asdict() for one in report.stages]
        told = asdict(report) | {"partitions": partitions, "stages": stages, "holds": not report.faults}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        _print(report)
    if report.faults:
        raise SystemExit(1)


async def _check(settings: Settings, deep: bool, accept_lost: bool) -> Report:
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(open_store(settings))
        log = await opened.enter_async_context(open_log(settings))
        database = await opened.enter_async_context(open_database(settings))
        if accept_lost:
            await _accept_lost(log, database)
        db = await opened.enter_async_context(reading(database))
        report = await count(db, log)
        if deep:
            await walk(db, log, report)
        if settings.spool:
            report.spooled, _, aside = await asyncio.to_thread(waiting, Path(settings.spool))
            report.faults += [f"{path} holds damaged spooled records: delete it when you know why" for path in aside]
        return report


async def _accept_lost(log: Log, database: AsyncEngine) -> None:
    for partition in range(log.partitions):
        start = await log.start(partition)
        async with writing(database) as db:
            lost = await admin.accept_lost(db, partition, start)
        if lost:
            click.echo(f"Partition {partition} goes on from position {start:,}: {lost:,} records are lost.", err=True)


def _print(report: Report) -> None:
    rows = [(*one, one.difference) for one in report.partitions]
    head = ("PARTITION", "RECORDS", "STAGED", "DUPLICATES", "DEAD LETTERS", "LOST", "PENDING", "DIFFERENCE")
    table(head, [*rows, ("all", *(sum(column) for column in list(zip(*rows, strict=True))[1:]))])
    click.echo()
    stages = [(*one[:-1], "retired" if one.states is None else one.states) for one in report.stages]
    table(("JOURNEY", "VERSION", "STAGE", "LEDGER", "NOW", "BY DAY", "BY HOUR", "STATES"), stages)
    click.echo(
        f"\n{report.touchpoints:,} touchpoints of {report.customers:,} customers are stored; "
        f"{report.queued:,} customers wait to be derived, {report.quarantined:,} are quarantined."
    )
    if report.spooled:
        click.echo(f"{report.spooled:,} records wait in the spool until the log takes them.")
    if report.walked is not None:
        click.echo(
            f"{report.walked:,} records of the log were looked for among the touchpoints. Of those stored, "
            f"{report.touchpoints - report.excluded:,} count; {report.excluded:,} are excluded and count for nothing."
        )
    for fault in report.faults:
        click.secho(f"wrong: {fault}", fg="red")
    click.secho("It does not hold." if report.faults else "It holds.", bold=True)


COMMANDS = {"check": check}
