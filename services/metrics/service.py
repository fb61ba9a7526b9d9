"""What every room of the metrics service works with: the store, and what has been read of its journeys."""

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.metrics.errors import Refused
from shared.journeys.compile import compile_journey
from shared.journeys.definition import Definition, load
from shared.journeys.engine import ABSENT, NONE, Journey
from shared.journeys.setting import Setting
from shared.log.port import Log
from shared.settings import Settings
from shared.store import reads
from shared.store.port import Store
from shared.store.reads import Project
from shared.store.rows import JourneyRow
from shared.store.versions import answering
from shared.touch.told import Teller


class Asker(NamedTuple):
    """Who asks: for a project, with a token of this name, in languages of their choice (an Accept-Language header)."""

    project: Project
    token: str
    accept: str | None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the project's days."""
        return ZoneInfo(self.project.time_zone)


@dataclass(frozen=True)
class Service:
    """Opened by whoever runs the service. Without a `log` its lag is not known."""

    store: Store
    database: AsyncEngine
    log: Log | None
    settings: Settings
    teller: Teller
    _definitions: dict[int, Definition] = field(default_factory=dict)
    _journeys: dict[int, Journey] = field(default_factory=dict)

    def definition(self, row: JourneyRow) -> Definition:
        """The definition of a version, which never changes: it is read once."""
        if row.version not in self._definitions:
            self._definitions[row.version] = load(row.definition)
        return self._definitions[row.version]

    def compiled(self, row: JourneyRow, zone: ZoneInfo) -> Journey:
        """The same, compiled; `zone` is that of its project."""
        if row.version not in self._journeys:
            self._journeys[row.version] = compile_journey(self.definition(row), Setting(zone, self.teller))
        return self._journeys[row.version]

    @property
    def secret(self) -> str:
        """What e-mail addresses may have been hashed with at the door."""
        return self.settings.hash_secret.get_secret_value()

    async def journey(self, db: AsyncConnection, project: int, name: str) -> JourneyRow:
        """The version of a journey that answers. Raises Refused if the project has none of this name."""
        rows = {row.name: row for row in answering(await reads.journeys(db, project))}
        if name in rows:
            return rows[name]
        near = get_close_matches(name, rows, 1)
        remedy = f"did you mean {near[0]}?" if near else "GET /v1/journeys lists those there are"
        raise Refused(404, "unknown_journey", f"there is no journey {name[:80]!r}: {remedy}", "journey")


def stage_name(definition: Definition, number: int) -> str | None:
    """The name of a stage by its number: `none` for no stage, None for absent."""
    if number == ABSENT:
        return None
    return "none" if number == NONE else definition.stages[number].name
