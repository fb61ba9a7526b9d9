"""`milepost keys` and `milepost tokens`: who may send events, and who may ask questions."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click
from sqlalchemy.ext.asyncio import AsyncConnection

from services.commands.serving import data_option, run, test_option
from services.commands.tables import instant, table
from services.commands.welcome import first_project, make_test_project
from shared.runtime import open_database, open_store
from shared.settings import load
from shared.store import admin
from shared.store.engine import writing

T = TypeVar("T")


def administer(data: Path | None, change: Callable[[AsyncConnection, int], Awaitable[T]], test: bool = False) -> T:
    """Looks something up or changes it in the store that the settings name, given the number of the project.

    With `test` that is the test project, made if need be. A ValueError is told as it is.
    """

    async def work() -> T:
        settings = load(data=data)
        async with open_store(settings) as store, open_database(settings) as database:
            project = await (make_test_project(store, database) if test else first_project(database))
            async with writing(database) as db:
                return await change(db, project.project)

    try:
        return run(work())
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _origins(given: tuple[str, ...]) -> tuple[str, ...]:
    return () if given == ("any",) else given


_origin = click.option(
    "--origin", "origins", multiple=True, help="Take it only from pages there; may stand repeatedly."
)
_rate = click.option("--rate", type=click.IntRange(0, 1_000_000), help="Events a second it may send; 0: any number.")


@click.group()
def keys() -> None:
    """Write keys: what sites and apps send events with.

    A new key works within seconds, also beside a running server; so does a revocation end one.
    """


@keys.command("create")
@data_option
@click.argument("name")
@click.option("--kind", type=click.Choice(admin.KINDS), default="server", show_default=True, help="Where it is used.")
@_origin
@_rate
def create_key(data: Path | None, name: str, kind: str, origins: tuple[str, ...], rate: int | None) -> None:
    """Make a write key and print it. It cannot be shown again.

    What a test key sends goes to a project of its own. An origin is as https://shop.example.com, or *.example.com for
    all hosts below it.
    """
    more = kind, _origins(origins), rate or 0
    click.echo(
        administer(data, lambda db, project: admin.create_write_key(db, project, name, *more), test=kind == "test")[1]
    )


@keys.command("edit")
@data_option
@click.argument("number", type=int)
@click.option("--name", help="What it is called.")
@_origin
@_rate
def edit_key(data: Path | None, number: int, name: str | None, origins: tuple[str, ...], rate: int | None) -> None:
    """Change the write key of this NUMBER; what is not given stays. The origins given take the place of those before;
    `--origin any` lifts the restriction."""
    change = name, _origins(origins) if origins else None, rate
    if not administer(data, lambda db, _: admin.edit_write_key(db, number, *change)):
        raise click.ClickException(f"there is no write key {number} in force: `milepost keys list` shows them")
    click.echo(f"Write key {number} is changed.")


@keys.command("list")
@data_option
def list_keys(data: Path | None) -> None:
    """Show the write keys, those revoked too. Only hashes of their secrets are kept."""
    found = administer(data, lambda db, _: admin.write_keys(db, revoked=True)).values()
    rows = [
        (
            str(key.number),
            key.name,
            key.kind,
            " ".join(key.origins) or "any",
            f"{key.rate:,}" if key.rate else "any",
            instant(key.made_at),
            instant(key.revoked_at),
        )
        for key in found
    ]
    table(("NUMBER", "NAME", "KIND", "ORIGINS", "RATE", "MADE (UTC)", "REVOKED"), rows)


@keys.command("revoke")
@data_option
@click.argument("number", type=int)
def revoke_key(data: Path | None, number: int) -> None:
    """End the write key of this NUMBER."""
    if not administer(data, lambda db, _: admin.revoke_write_key(db, number)):
        raise click.ClickException(f"there is no write key {number} in force: `milepost keys list` shows them")
    click.echo(f"Write key {number} is revoked.")


@click.group()
def tokens() -> None:
    """Query tokens: what people and programs ask questions with."""


@tokens.command("create")
@data_option
@test_option
@click.argument("name")
@click.option("--read-only", is_flag=True, help="It asks, and changes nothing: publishes, places and excludes nothing.")
def create_token(data: Path | None, test: bool, name: str, read_only: bool) -> None:
    """Make a query token and print it. It cannot be shown again."""
    kind = admin.READ if read_only else admin.WRITE
    click.echo(administer(data, lambda db, project: admin.create_query_token(db, project, name, kind), test)[1])


@tokens.command("list")
@data_option
def list_tokens(data: Path | None) -> None:
    """Show the query tokens, those revoked too. Only hashes of their secrets are kept."""
    found = administer(data, lambda db, _: admin.query_tokens(db, revoked=True)).values()
    rows = [
        (str(token.number), token.name, token.kind, instant(token.made_at), instant(token.revoked_at))
        for token in found
    ]
    table(("NUMBER", "NAME", "MAY", "MADE (UTC)", "REVOKED"), rows)


@tokens.command("revoke")
@data_option
@click.argument("number", type=int)
def revoke_token(data: Path | None, number: int) -> None:
    """End the query token of this NUMBER."""
    if not administer(data, lambda db, _: admin.revoke_query_token(db, number)):
        raise click.ClickException(f"there is no query token {number} in force: `milepost tokens list` shows them")
    click.echo(f"Query token {number} is revoked.")


COMMANDS = {"keys": keys, "tokens": tokens}
