"""`examples:` of a definition: given these events, this stage is expected at this time.

examples:
  - example: A buyer who is not heard of for three months has left
    given:
      - {at: 2026-03-01 09:30, page: Home}
      - {at: +1h, track: Order Completed, properties: {revenue: 49.9}}
      - {at: +2h, identify: {plan: pro}}
      - {at: +3h, place: loyal}
    expect:
      - {at: +1h, stage: buyer}
      - {at: +100d, stage: churned}

One customer did all that is `given`, in any order; `place` is a placement by hand. `at` is an instant, a date, or an
offset from the first of `given`; if that has an offset, too, all count from the beginning of 2026. What has no offset
from UTC is of the project's zone. A date is its first microsecond where something happens and its last where a stage is
expected, which is expected right after the last of `given` if it has no `at`. What the examples come to is worked out
in `shared.journeys.trial`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from shared.events import EMPTY, PLACEMENT, Record
from shared.journeys import duration
from shared.journeys.reading import Place, Problem, nearest, shown
from shared.journeys.touchpoint import Touchpoint
from shared.placement import Placement

#: Far more than a journey needs, and all tried within a second or so.
MOST_EXAMPLES, MOST_EVENTS, MOST_EXPECTED = 200, 500, 100

#: A stage that says that the customer is not in the journey at all.
NOWHERE = "absent"

#: The key that says what happened, and what stands behind it.
NAMED, TRAITED, PLACED = ("track", "page", "screen"), ("identify", "group"), "place"

_BEGINNING = datetime(2026, 1, 1)  # noqa: DTZ001 — of the zone that it is read in
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OFFSET = re.compile(r"\+\s*((?:[0-9]{1,12}[smhdw]\s*)+)", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|z|[-+]\d\d:\d\d)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

#: Microseconds after the beginning, or a point on the calendar.
When = int | date | datetime


@dataclass(frozen=True, slots=True)
class Event:
    """What the customer does: a touchpoint at its time. The name of a placement is the stage."""

    at: When
    type: str
    name: str | None
    properties: msgspec.Raw
    context: msgspec.Raw
    traits: msgspec.Raw


class Expected(NamedTuple):
    """The stage expected at a time (None: after all events), `none` or `absent`.

    `where` is where that is written: a problem that has only to be said.
    """

    at: When | None
    stage: str
    where: Problem


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a definition."""

    title: str
    given: tuple[Event, ...]
    expect: tuple[Expected, ...]

    def history(self, journey: str, zone: ZoneInfo) -> list[Touchpoint]:
        """The touchpoints given; those of one instant are in the order in which they are written."""
        return [_touchpoint(n, event, self._at(event.at, zone), journey) for n, event in enumerate(self.given)]

    def due(self, expected: Expected, zone: ZoneInfo) -> int:
        """When the stage is expected, in microseconds."""
        if expected.at is None:
            return max(self._at(event.at, zone) for event in self.given)
        return self._at(expected.at, zone, end=True)

    def _at(self, when: When, zone: ZoneInfo, *, end: bool = False) -> int:
        if isinstance(when, int):
            first = self.given[0].at
            return _micros(_BEGINNING if isinstance(first, int) else first, zone) + when
        if end and not isinstance(when, datetime):
            return _micros(when + timedelta(days=1), zone) - 1
        return _micros(when, zone)


def read(place: Place) -> tuple[Example, ...]:
    """The examples under `examples:`; every fault is noted."""
    members = place.members("examples") or []
    if len(members) > MOST_EXAMPLES:
        place.problem(f"there are more than {MOST_EXAMPLES} examples", "keep those that say something new")
    examples = [_example(member) for member in members[:MOST_EXAMPLES]]
    return tuple(example for example in examples if example is not None)


def _example(place: Place) -> Example | None:
    if (fields := place.fields("example", "given", "expect")) is None or len(fields) < 3:
        return None
    title = fields["example"].text("a sentence that says what it shows") or ""
    given = [_event(member) for member in _some(fields["given"], "events", MOST_EVENTS)]
    expect = fields["expect"]
    wanted = _some(expect, "stages", MOST_EXPECTED) if isinstance(expect.value, list | tuple) else [expect]
    expected = [_expected(member) for member in wanted]
    events = tuple(event for event in given if event is not None)
    if not events:
        return None
    return Example(title, events, tuple(one for one in expected if one is not None))


def _some(place: Place, what: str, most: int) -> list[Place]:
    members = place.members(what) or []
    if len(members) > most:
        place.problem(f"there are more than {most} {what}", "show one thing in each example")
    return members[:most]


def _event(place: Place) -> Event | None:
    kinds = (*NAMED, *TRAITED, PLACED)
    parts = ("properties", "context")
    if (fields := place.fields("at", optional=(*kinds, *parts))) is None:
        return None
    at = _when(fields["at"]) if "at" in fields else None
    said = [kind for kind in kinds if kind in fields]
    if not said and set(place.value) - set(fields):
        return None  # what happened is misspelt, and noted
    if len(said) != 1:
        message = f"it is both {said[0]} and {said[1]}" if said else "it does not say what happened"
        place.problem(message, f"write one of {', '.join(f'{kind}:' for kind in kinds)}")
        return None
    what, value = said[0], fields[said[0]]
    if what == "identify" and "properties" in fields:
        fields["properties"].problem("an identify has no properties", "write its traits behind identify:")
    found = {part: _object(fields[part]) for part in parts if part in fields}
    name = value.text("a name") if what in NAMED and not (value.value is None and what != "track") else None
    traits = _object(value) if what in TRAITED and value.value is not None else EMPTY
    if what == PLACED:
        what, name = PLACEMENT, value.stage()
    if at is None:
        return None
    return Event(at, what, name, found.get("properties", EMPTY), found.get("context", EMPTY), traits)


def _object(place: Place) -> msgspec.Raw:
    return EMPTY if place.entries() is None else msgspec.Raw(msgspec.json.encode(place.value))


def _expected(place: Place) -> Expected | None:
    if (fields := place.fields("stage", optional=["at"])) is None or "stage" not in fields:
        return None
    at = _when(fields["at"]) if "at" in fields else None
    stage = fields["stage"].value
    known = [*place.reading.stages, "none", NOWHERE]
    if not isinstance(stage, str) or stage not in known:
        fields["stage"].problem(f"there is no stage {shown(stage)}", nearest(str(stage), known))
        return None
    return Expected(at, stage, Problem(place.path, "", "", *place.mark()))


def _when(place: Place) -> When | None:
    value = place.value
    if value == 0 and value is not False:  # `+0`
        return 0
    text = value.strip() if isinstance(value, str) else ""
    try:
        if found := _OFFSET.fullmatch(text):
            return _offset(found[1])
        if _DATE.fullmatch(text):
            return _counted(date.fromisoformat(text))
        if _INSTANT.fullmatch(text):
            return _counted(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError) as error:
        place.problem(f"{shown(value)} is in no calendar ({error})", "name a day that there is")
        return None
    remedy = "write +3d or +1d12h (from the first event on), 2026-03-21, 2026-03-21 18:30, or that with an offset"
    place.problem(f"{shown(value)} is not a time", remedy)
    return None


def _offset(text: str) -> int:
    parts = re.findall(r"[0-9]+[smhdw]", text)
    total = sum(duration.parse(part) or 0 for part in parts if int(part[:-1]))
    if total > duration.LONGEST or any(duration.parse(part) is None for part in parts if int(part[:-1])):
        raise ValueError("it is more than a hundred years")
    return total


def _counted(day: date) -> date:
    if not 1900 <= day.year <= 2200:
        raise ValueError("use a year from 1900 to 2200")
    return day


def _micros(when: date | datetime, zone: ZoneInfo) -> int:
    moment = when if isinstance(when, datetime) else datetime.combine(when, time())
    local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return (local.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def _touchpoint(number: int, event: Event, at: int, journey: str) -> Touchpoint:
    name, properties = event.name, event.properties
    if event.type == PLACEMENT:
        said = Placement(journey, name or "", "the example")
        name, properties = None, msgspec.Raw(msgspec.json.encode(said))
    record = Record(1, f"{number:04}", event.type, at, at, user="example", name=name, properties=properties)
    return Touchpoint.of(msgspec.structs.replace(record, context=event.context, traits=event.traits))
