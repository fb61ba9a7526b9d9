"""Projects, write keys and query tokens. The same on both databases.

Functions that change something take a connection from `engine.writing`, the others one from `engine.reading`. A key
or token is shown once, when it is made; only its SHA-256 is kept, which is enough for a random text of this length.
"""

import hashlib
import re
import secrets
import string
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Column, Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.store import tables
from shared.store.reads import Project
from shared.store.schema import check_time_zone

#: What a write key is for: web pages (public by nature), servers, or trying things out.
KINDS = ("browser", "server", "test")

#: What a query token may do: ask alone, or also change something, as publishing a journey does.
READ, WRITE = TOKEN_KINDS = ("read", "write")

_ALPHABET = string.ascii_letters + string.digits


class WriteKey(NamedTuple):
    """A key that events are sent with.

    `origins` are those of the pages that may send with it (`normal_origin`), none: all may. `rate` is how many events a
    second it may send, 0: any number.
    """

    number: int
    project: int
    name: str
    kind: str
    origins: tuple[str, ...]
    rate: int
    made_at: int
    revoked_at: int | None


class QueryToken(NamedTuple):
    """A token that questions are asked with; its kind is one of TOKEN_KINDS."""

    number: int
    project: int
    name: str
    kind: str
    made_at: int
    revoked_at: int | None


def hashed(secret: str) -> bytes:
    """What is kept of a key or a token."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _secret(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(32))


def _now() -> int:
    return time.time_ns() // 1000


async def create_project(db: AsyncConnection, name: str, time_zone: str, devices: str = "split") -> Project:
    """Adds a project. Raises ValueError if there is no such time zone, Conflict if the name is taken."""
    check_time_zone(time_zone)
    if db.dialect.name == "postgresql":  # as publishing a version does: see `versions`
        await db.exec_driver_sql("LOCK TABLE catalog IN EXCLUSIVE MODE")
    await db.execute(update(tables.catalog).values(generation=tables.catalog.c.generation + 1))
    made = Project(await _next(db, tables.projects.c.project), name, time_zone, devices, _now())
    await db.execute(insert(tables.projects), [made._asdict()])
    return made


async def create_write_key(
    db: AsyncConnection, project: int, name: str, kind: str = "server", origins: Iterable[str] = (), rate: int = 0
) -> tuple[WriteKey, str]:
    """Adds a write key; the second is the key itself.

    Raises ValueError if there is no such kind or project, if an origin is none, or the key's kind has none.
    """
    if kind not in KINDS:
        raise ValueError(f"a write key's kind is one of {', '.join(KINDS)}")
    secret = _secret("wk_")
    number = await _next(db, tables.write_keys.c.key)
    made = WriteKey(number, project, name, kind, _normal(origins, kind), rate, _now(), None)
    row = {"kind": kind, "origins": " ".join(made.origins), "rate": rate}
    await _add(db, tables.write_keys, project, key=number, name=name, hash=hashed(secret), made_at=made.made_at, **row)
    return made, secret


async def edit_write_key(
    db: AsyncConnection,
    key: int,
    name: str | None = None,
    origins: Iterable[str] | None = None,
    rate: int | None = None,
) -> bool:
    """Changes what is given of a write key; False if there is none of this number in force. Raises ValueError."""
    found = next((one for one in (await write_keys(db)).values() if one.number == key), None)
    if found is None:
        return False
    allowed = found.origins if origins is None else _normal(origins, found.kind)
    values = {"name": found.name if name is None else name, "rate": found.rate if rate is None else rate}
    row = tables.write_keys.c
    await db.execute(update(tables.write_keys).where(row.key == key).values(origins=" ".join(allowed), **values))
    return True


def normal_origin(text: str) -> str:
    """An origin as browsers write it: scheme://host, :port if it is not the usual one; or `*.` and a domain for all
    hosts below it, whatever their scheme and port. Raises ValueError."""
    found = re.fullmatch(
        r"(?:([a-z][a-z0-9+.-]*)://|(\*)\.)([^\s/:*?#@]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?/?", text.strip().lower()
    )
    if found is None or (found[2] and found[4]):
        raise ValueError(f"{text!r} is no origin: give one like https://shop.example.com, or *.example.com")
    scheme, _, host, port = found.groups()
    try:
        host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        raise ValueError(f"{text!r} is no origin: its host cannot be looked up") from None
    if not scheme:
        return f"*.{host}"
    usual = {"http": ":80", "https": ":443"}.get(scheme)
    return f"{scheme}://{host}{port if port and port != usual else ''}"


def _normal(origins: Iterable[str], kind: str) -> tuple[str, ...]:
    normal = tuple(dict.fromkeys(map(normal_origin, origins)))
    if normal and kind == "server":
        raise ValueError("a server sends no origin: keys of the kinds browser and test may have origins")
    return normal


async def create_query_token(db: AsyncConnection, project: int, name: str, kind: str = WRITE) -> tuple[QueryToken, str]:
    """Adds a query token; the second is the token itself. Raises ValueError if there is no such project or kind."""
    if kind not in TOKEN_KINDS:
        raise ValueError(f"a query token's kind is one of {', '.join(TOKEN_KINDS)}")
    secret = _secret("qt_")
    made = QueryToken(await _next(db, tables.query_tokens.c.token), project, name, kind, _now(), None)
    row = {"token": made.number, "name": name, "kind": kind, "hash": hashed(secret), "made_at": made.made_at}
    await _add(db, tables.query_tokens, project, **row)
    return made, secret


async def _next(db: AsyncConnection, number: Column[Any]) -> int:
    """The next number, counted over all projects. Whoever asks first goes first."""
    if db.dialect.name == "postgresql":  # SQLite's transactions that write come one after another anyway
        await db.exec_driver_sql(f"LOCK TABLE {number.table.name} IN SHARE ROW EXCLUSIVE MODE")
    return int(await db.scalar(select(func.coalesce(func.max(number), 0) + 1)) or 1)


async def _add(db: AsyncConnection, table: Table, project: int, **row: object) -> None:
    if not await db.scalar(select(func.count()).where(tables.projects.c.project == project)):
        raise ValueError(f"there is no project {project}")
    await db.execute(insert(table), [{"project": project, "revoked_at": None, **row}])


async def write_keys(db: AsyncConnection, revoked: bool = False) -> dict[bytes, WriteKey]:
    """The write keys in force by their hashes, the oldest first; with `revoked`, those no longer in force too."""
    table = tables.write_keys
    found = await db.execute(select(table).where(table.c.revoked_at.is_(None) | revoked).order_by(table.c.key))
    return {
        row.hash: WriteKey(
            row.key, row.project, row.name, row.kind, tuple(row.origins.split()), row.rate, row.made_at, row.revoked_at
        )
        for row in found
    }


async def query_tokens(db: AsyncConnection, revoked: bool = False) -> dict[bytes, QueryToken]:
    """The query tokens in force by their hashes, the oldest first; with `revoked`, those no longer in force too."""
    rows = tables.query_tokens.c
    columns = (rows.hash, rows.token, rows.project, rows.name, rows.kind, rows.made_at, rows.revoked_at)
    found = await db.execute(select(*columns).where(rows.revoked_at.is_(None) | revoked).order_by(rows.token))
    return {row[0]: QueryToken(*row[1:]) for row in found}


async def revoke_write_key(db: AsyncConnection, key: int) -> bool:
    """Ends a write key; False if there is none of this number in force."""
    return await _revoke(db, tables.write_keys.c.key, key)


async def revoke_query_token(db: AsyncConnection, token: int) -> bool:
    """Ends a query token; False if there is none of this number in force."""
    return await _revoke(db, tables.query_tokens.c.token, token)


async def _revoke(db: AsyncConnection, number: Column[Any], wanted: int) -> bool:
    table = tables.metadata.tables[number.table.name]
    ended = update(table).where(number == wanted, table.c.revoked_at.is_(None)).values(revoked_at=_now())
    return (await db.execute(ended)).rowcount == 1


async def accept_lost(db: AsyncConnection, partition: int, start: int) -> int:
    """Lets a partition go on from `start`, the oldest position on the log; returns how many records are lost by it.

    They stay counted as lost. Whoever holds the partition is fenced off and takes it up again from there.
    """
    row = tables.positions.c
    found = await db.execute(select(row.position).where(row.partition == partition, row.position < start))
    position = found.scalar_one_or_none()
    if position is None:
        return 0
    moved = update(tables.positions).where(row.partition == partition, row.position == position)
    moved = moved.values(epoch=row.epoch + 1, lost=row.lost + (start - position), position=start)
    return start - position if (await db.execute(moved)).rowcount == 1 else 0
