"""`milepost demo`: a simulated shop, sent through the front door like any site's events."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click
import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from services.commands.serving import data_option, run
from services.commands.tables import table
from services.commands.welcome import FIRST_JOURNEY, Secrets, first_project
from services.demo.sender import SendFailed, reach, send
from services.demo.shop import crowds
from shared.runtime import open_database, open_store
from shared.settings import Settings, load
from shared.store import admin
from shared.store.engine import writing
from shared.store.port import StoreMismatch

#: The name of the key and the token that are made for it.
NAME = "demo"
#: Seconds that the stager has to catch up with what was sent.
CATCH_UP = 300.0


@click.command()
@data_option
@click.option("--url", help="Address of the server.  [default: where `milepost up` listens]")
@click.option("--key", help="Write key.  [default: one is made in the store]")
@click.option("--token", help="Query token.  [default: one is made in the store]")
@click.option("--customers", type=click.IntRange(1), default=400, show_default=True, help="How many people.")
@click.option("--months", type=click.IntRange(1, 60), default=6, show_default=True, help="How far back it begins.")
@click.option("--seed", default=7, show_default=True, help="The same seed is the same shop; another adds others.")
def demo(data: Path | None, url: str | None, key: str | None, token: str | None, **size: int) -> None:
    """Fill a running server with a simulated shop, and show where its customers stand.

    Customers of several kinds browse, sign up, buy, fall silent and come back over some months; all of it goes through
    the HTTP door. The same shop sent again changes nothing.
    """
    settings = load(data=data)
    base = url or settings.public_url or f"http://{settings.host}:{settings.port}"
    try:
        run(_demo(settings, base, key, token, **size))
    except SendFailed as failed:
        raise click.ClickException(str(failed)) from None


async def _demo(
    settings: Settings, base: str, key: str | None, token: str | None, customers: int, months: int, seed: int
) -> None:
    secrets = Secrets(key, token) if key and token else await _made(settings)
    async with httpx.AsyncClient(base_url=base, timeout=30) as client:
        await reach(client, secrets.key)
        taken, refused = 0, list[str]()
        now = time.time_ns() // 1000
        bar = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(TextColumn("{task.description}"), *bar, console=Console(stderr=True)) as progress:
            task = progress.add_task("Customers sent", total=customers)
            for people, messages in crowds(seed, now, customers, months):
                advance = partial(_advance, progress, task, people / max(1, len(messages)))
                refused += await send(client, secrets.key, messages, advance)
                taken += len(messages)
            click.echo(f"{taken - len(refused):,} events were sent to {base}.")
            for reason in refused[:10]:
                click.echo(f"refused: {reason}", err=True)
            task = progress.add_task("Staging them", total=None)
            answer = await _staged(client, secrets.token)
            progress.update(task, total=customers, completed=customers)
    _show(base, secrets.token, answer)


def _advance(progress: Progress, task: TaskID, step: float, count: int) -> None:
    progress.advance(task, step * count)


async def _made(settings: Settings) -> Secrets:
    """A key and a token of the demo's own; those of an earlier demo end."""
    try:
        async with open_store(settings), open_database(settings) as database:
            project = (await first_project(database)).project
            async with writing(database) as db:
                for key in (await admin.write_keys(db)).values():
                    if key.name == NAME:
                        await admin.revoke_write_key(db, key.number)
                for token in (await admin.query_tokens(db)).values():
                    if token.name == NAME:
                        await admin.revoke_query_token(db, token.number)
                made = await admin.create_write_key(db, project, NAME)
                return Secrets(made[1], (await admin.create_query_token(db, project, NAME))[1])
    except StoreMismatch as mismatch:
        raise SendFailed(
            f"No key can be made here ({mismatch}): start `milepost up`, name its folder with --data, "
            "or give --key and --token."
        ) from None


async def _staged(client: httpx.AsyncClient, token: str) -> dict[str, Any]:
    """The stages once everything that was sent before is counted."""
    sent: datetime | None = None
    deadline = time.monotonic() + CATCH_UP
    while time.monotonic() < deadline:
        response = await client.get(
            f"/v1/journeys/{FIRST_JOURNEY}/stages", headers={"Authorization": f"Bearer {token}"}
        )
        if response.status_code != 200:
            raise SendFailed(f"The server does not tell the stages: it answered {response.status_code}.")
        answer: dict[str, Any] = response.json()
        sent = sent or datetime.fromisoformat(answer["at"])  # the server's own clock, after everything was sent
        fresh = answer["freshness"] and datetime.fromisoformat(answer["freshness"]) > sent
        if fresh and answer["behind"] == 0:
            return answer
        await asyncio.sleep(0.3)
    raise SendFailed("The events were taken, but are not staged yet: is a stager running? `milepost check` counts.")


def _show(base: str, token: str, answer: dict[str, Any]) -> None:
    stages = [(one["title"], one["customers"], one["means"] or "") for one in answer["stages"]]
    click.echo(f"\n{answer['title']}, {answer['total']:,} customers:\n")
    table(("STAGE", "CUSTOMERS", "MEANS"), [*stages, ("(no stage)", answer["none"], "")])
    ask = f"{base}/v1/journeys/{answer['journey']}"
    month_ago = datetime.now(UTC).date() - timedelta(30)
    header = f"-H 'Authorization: Bearer {token}'"
    click.echo(
        f"\nLook at {base}/ in a browser, with the query token {token}, or ask:\n"
        f"  curl {header} '{ask}/stages?at={month_ago}'\n"
        f"  curl {header} '{ask}/transitions'\n"
        f"  curl {base}/metrics"
    )


COMMANDS = {"demo": demo}
