"""Making the schema, and telling whether it is this version's; the same for both databases."""

import time
from asyncio import to_thread
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, insert, inspect, select, text

from shared.events import SECOND
from shared.store.engine import engine, writing
from shared.store.port import StoreMismatch
from shared.store.rows import ID_BITS
from shared.store.tables import positions, projects

REMEDY = "run `milepost setup`"
_SETUP_LOCK = 0x6D696C65  # names the lock that one setup at a time holds; any number would do


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def newest() -> str:
    """The revision that this version of the code works with."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def verify(stored: str | None) -> None:
    """Raises StoreMismatch unless the revision found in the database is this version's. None: nothing was found."""
    if stored is None:
        raise StoreMismatch(f"the store has no tables yet: {REMEDY}")
    if stored != newest():
        raise StoreMismatch(f"the store's schema is {stored}, this version of Milepost needs {newest()}: {REMEDY}")


def upgrade(connection: Connection) -> None:
    """Brings the schema to the newest revision, in the connection's transaction."""
    command.upgrade(_config(connection), "head")


def downgrade(connection: Connection, revision: str = "-1") -> None:
    """Takes the schema back, one step unless told."""
    command.downgrade(_config(connection), revision)


def _known(connection: Connection) -> None:
    """Refuses a schema that this version has never heard of, which Alembic would report as a missing file."""
    if inspect(connection).has_table("alembic_version"):
        stored = connection.scalar(text("SELECT version_num FROM alembic_version"))
        steps = ScriptDirectory.from_config(_config()).walk_revisions()
        if stored and stored not in {step.revision for step in steps}:
            raise StoreMismatch(
                f"the store's schema is {stored}, made by a newer version of Milepost: upgrade Milepost"
            )


def _fill(connection: Connection, partitions: int, time_zone: str, devices: str) -> None:
    """The rows that must exist: a position for every partition, and a project."""
    present = connection.scalar(select(func.count()).select_from(positions)) or 0
    if present > partitions:
        raise StoreMismatch(
            f"the store goes on at {present} partitions, which can become more but not fewer:"
            f" set MILEPOST_PARTITIONS to {present} or more"
        )
    # One that is added holds nothing yet, and does not set the store's clock back until somebody owns it.
    clock = connection.scalar(select(func.min(positions.c.clock))) or 0
    rows = [
        {
            "partition": partition,
            "epoch": 0,
            "owner": "",
            "position": 0,
            "next_id": (partition << ID_BITS) + 1,
            "next_seq": 1,
            "clock": clock,
            "staged": 0,
            "duplicates": 0,
            "lost": 0,
        }
        for partition in range(present, partitions)
    ]
    if rows:
        connection.execute(insert(positions), rows)
    if not connection.scalar(select(func.count()).select_from(projects)):
        first = {"project": 1, "name": "default", "time_zone": time_zone, "devices": devices}
        connection.execute(insert(projects), [first | {"made_at": time.time_ns() * SECOND // 10**9}])


def check_time_zone(name: str) -> None:
    """Raises ValueError if there is no IANA time zone of this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}; an example is Europe/Berlin") from None


def _make_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


async def setup(address: str | Path, partitions: int, time_zone: str, devices: str = "split") -> None:
    """Makes or upgrades the schema and the rows that must exist; changes nothing where all is well.

    The time zone, and what becomes of shared devices, are those of the first project if it is made here.

    Works beside running services. Raises StoreMismatch if the store has more partitions or is newer than this version,
    StoreUnavailable, and ValueError if there is no such time zone.
    """
    check_time_zone(time_zone)
    if isinstance(address, Path):
        await to_thread(_make_file, address)
    database = engine(address)
    try:
        async with writing(database) as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(select(func.pg_advisory_xact_lock(_SETUP_LOCK)))
            await connection.run_sync(_known)
            await connection.run_sync(upgrade)
            await connection.run_sync(_fill, partitions, time_zone, devices)
    finally:
        await database.dispose()
