"""What questions about many customers are asked with, the same in every room; and how it is understood."""

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from services.metrics import instants
from services.metrics.analytics.breakdown import Groups, Moment
from services.metrics.analytics.columns import Columns, Ints, Mask
from services.metrics.analytics.copy import Snapshot
from services.metrics.analytics.feed import DIMENSIONS
from services.metrics.analytics.kernels.stays import Moves
from services.metrics.analytics.members import COHORT, acts, grouped, within
from services.metrics.analytics.selecting import selected
from services.metrics.api.answers import Instant, between
from services.metrics.api.formats import Counted, counted
from services.metrics.definitions import version
from services.metrics.errors import invalid
from services.metrics.service import Asker, Service
from shared.events import SECOND
from shared.journeys import duration
from shared.journeys.calendar import Calendar, Period
from shared.journeys.definition import Definition
from shared.journeys.matcher import Matcher
from shared.store.engine import reading
from shared.store.rows import JourneyRow

#: What customers can be broken down by.
BY = (*DIMENSIONS, COHORT)


class Asking(BaseModel):
    """Of which time, in which periods, by what."""

    model_config = ConfigDict(extra="forbid")

    since: Annotated[
        str | None, Field(description="on or after; a date is its local beginning", examples=["2026-03-01"])
    ] = None
    until: Annotated[
        str | None, Field(description="on or before; a date is its local end", examples=["2026-03-31"])
    ] = None
    calendar: Annotated[Literal["gregorian", "jalali"], Field(description="of months")] = "gregorian"
    week: Annotated[
        Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
        Field(description="the day on which weeks begin"),
    ] = "monday"
    by: Annotated[
        str | None,
        Field(
            description=f"a group for each value of one of {', '.join(BY)} (the period first seen in)",
            examples=["channel"],
        ),
    ] = None
    moment: Annotated[
        Moment,
        Field(description="of which touchpoint `by` is: the first, the one at the entry (or start), or the last"),
    ] = "acquired"


class Fetched(Asking):
    """What is asked by a GET, with its format."""

    format: Annotated[Literal["json", "csv"] | None, Field(description="left out: as Accept says")] = None


class InJourney(BaseModel):
    """Of which journey's stages."""

    journey: Annotated[str | None, Field(description="whose stages are named", examples=["lifecycle"])] = None
    version: Annotated[int | None, Field(ge=1, description="left out: the one that answers", examples=[None])] = None


class Answered(Counted):
    """What every answer repeats of its question."""

    journey: Annotated[str | None, Field(examples=["lifecycle"])] = None
    version: Annotated[int | None, Field(description="the definition's, counted from 1", examples=[1])] = None
    calendar: Annotated[str, Field(examples=["gregorian"])] = "gregorian"
    since: Instant | None = None
    until: Instant | None = None


class Scope(NamedTuple):
    """The version of a journey that a question is about."""

    row: JourneyRow
    definition: Definition

    def moves(self, snapshot: Snapshot) -> Moves:
        """The moves in it."""
        none = np.zeros(0, dtype=np.int64)
        return snapshot.moves.get(self.row.version, Moves(none, none, none, none))

    def now(self, snapshot: Snapshot) -> int:
        """Until when it is known: a retired version ended when it was."""
        ended = self.row.retired_at
        return snapshot.freshness if ended is None else min(ended, snapshot.freshness)

    def stage(self, name: str, field: str) -> int:
        """The number of a stage. Raises Refused, naming the field."""
        numbers = self.definition.numbers()
        if name not in numbers:
            raise invalid(field, f"there is no stage {name[:60]!r}: there are {', '.join(numbers)}")
        return numbers[name]

    def names(self) -> dict[int, str]:
        """The stages' names by number, `none` among them."""
        return {number: name for name, number in self.definition.numbers().items()}


async def scope(service: Service, asker: Asker, journey: str, number: int | None) -> Scope:
    """The version asked about. Raises Refused if there is none."""
    async with reading(service.database) as db:
        row = await version(service, db, asker, journey, number)
    return Scope(row, service.definition(row))


async def scope_of(service: Service, asker: Asker, question: InJourney) -> Scope | None:
    """The version that a question names, None if it names no journey. Raises Refused if there is none."""
    return None if question.journey is None else await scope(service, asker, question.journey, question.version)


class Understood:
    """A question's time, periods and groups. Raises Refused, naming the field."""

    def __init__(self, asker: Asker, asked: Asking, about: Scope | None) -> None:
        self.zone, self.asked, self.about = asker.zone, asked, about
        self.since, self.until = between(asker, asked.since, asked.until)
        if asked.by is not None and asked.by not in BY:
            raise invalid("by", f"{asked.by[:60]!r} is no dimension: take one of {', '.join(BY)}")

    def period(self, unit: str) -> Period:
        """The days, weeks or months of the calendar asked for."""
        return Period(unit, Calendar(self.asked.week, self.asked.calendar))

    def within(self, at: Ints) -> Mask:
        """Which instants lie in the time asked about."""
        return within(at, self.since, self.until)

    def groups(self, columns: Columns, owner: Ints, at: Ints, unit: str = "month") -> Groups:
        """The group of each member, who is looked at from an instant on; none if the question has no `by`."""
        if self.asked.by is None:
            return Groups(np.zeros(0, dtype=np.int64), ())
        return grouped(columns, self.asked.by, self.asked.moment, owner, at, self.period(unit), self.zone)

    def acts(self, columns: Columns, wanted: Matcher | None) -> Mask:
        """The rows that match; if nothing is asked, the acts of the journey, or else of anybody (rule 17)."""
        if wanted is not None or self.about is None:
            return acts(columns, wanted)
        definition = self.about.definition
        mask = np.zeros(len(columns), dtype=np.bool_)
        for one in definition.activity:
            mask |= selected(columns, one)
        for one in definition.excepted:
            mask &= ~selected(columns, one)
        return mask & ~columns.has("type", "identify", "alias", "group")

    def can_act(self, field: str) -> None:
        """Raises Refused if the journey's acts cannot be told from columns."""
        definition = self.about and self.about.definition
        for one in (*definition.activity, *definition.excepted) if definition else ():
            if one.properties or one.context or one.traits:
                message = "this journey reads properties to tell what is an act, and they cannot be read here"
                raise invalid(field, f"{message}: write a matcher, such as {{type: [page, screen, track]}}")

    def answered(self, asker: Asker, snapshot: Snapshot) -> dict[str, Any]:
        """The fields of Answered."""
        row = self.about and self.about.row
        return {
            **counted(asker, snapshot),
            "journey": row and row.name,
            "version": row and row.number,
            "calendar": self.asked.calendar,
            "since": None if self.since is None else instants.spell(self.since),
            "until": None if self.until is None else instants.spell(self.until),
        }

    def text(self, kind: str) -> str:
        """The whole question, for what is shared and cached."""
        return f"{kind} {self.zone.key} {self.about and self.about.row.version} {self.asked.model_dump_json()}"


def lasting(text: str, field: str) -> int:
    """Microseconds of a duration. Raises Refused, naming the field."""
    if (found := duration.parse(text)) is None:
        raise invalid(field, f"{text[:60]!r} is not a duration: write one such as 90s, 12h, 7d or 4w")
    return found


def seconds(micros: float | None) -> float | None:
    """As answers tell times."""
    return None if micros is None else micros / SECOND
