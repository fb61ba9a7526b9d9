"""`milepost keys` and `milepost tokens`: who may send events, and who may ask questions."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click
from sqlalchemy.ext.asyncio import AsyncConnection

from services.commands.serving import data_option, run
from services.commands.tables import instant, table
from services.commands.welcome import first_project
from shared.runtime import open_database, open_store
from shared.settings import load
from shared.store import admin
from shared.store.engine import writing

T = TypeVar("T")


def administer(data: Path | None, change: Callable[[AsyncConnection, int], Awaitable[T]]) -> T:
    """Looks something up or changes it in the store that the settings name, given the number of the project."""

    async def work() -> T:
        settings = load(data=data)
        async with open_store(settings), open_database(settings) as database:
            project = await first_project(database)
            async with writing(database) as db:
                return await change(db, project.project)

    return run(work())


@click.group()
def keys() -> None:
    """Write keys: what sites and apps send events with.

    A new key works within seconds, also beside a running server; so does a revocation end one.
    """


@keys.command("create")
@data_option
@click.argument("name")
@click.option("--kind", type=click.Choice(admin.KINDS), default="server", show_default=True, help="Where it is used.")
def create_key(data: Path | None, name: str, kind: str) -> None:
    """Make a write key and print it. It cannot be shown again."""
    click.echo(administer(data, lambda db, project: admin.create_write_key(db, project, name, kind))[1])


@keys.command("list")
@data_option
def list_keys(data: Path | None) -> None:
    """Show the write keys, those revoked too; not the secrets, of which only hashes are kept."""
    found = administer(data, lambda db, _: admin.write_keys(db, revoked=True)).values()
    rows = [(key.number, key.name, key.kind, instant(key.made_at), instant(key.revoked_at)) for key in found]
    table(("NUMBER", "NAME", "KIND", "MADE (UTC)", "REVOKED"), rows)


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
@click.argument("name")
def create_token(data: Path | None, name: str) -> None:
    """Make a query token and print it. It cannot be shown again."""
    click.echo(administer(data, lambda db, project: admin.create_query_token(db, project, name))[1])


@tokens.command("list")
@data_option
def list_tokens(data: Path | None) -> None:
    """Show the query tokens, those revoked too; not the secrets, of which only hashes are kept."""
    found = administer(data, lambda db, _: admin.query_tokens(db, revoked=True)).values()
    rows = [(token.number, token.name, instant(token.made_at), instant(token.revoked_at)) for token in found]
    table(("NUMBER", "NAME", "MADE (UTC)", "REVOKED"), rows)


@tokens.command("revoke")
@data_option
@click.argument("number", type=int)
def revoke_token(data: Path | None, number: int) -> None:
    """End the query token of this NUMBER."""
    if not administer(data, lambda db, _: admin.revoke_query_token(db, number)):
        raise click.ClickException(f"there is no query token {number} in force: `milepost tokens list` shows them")
    click.echo(f"Query token {number} is revoked.")


COMMANDS = {"keys": keys, "tokens": tokens}
