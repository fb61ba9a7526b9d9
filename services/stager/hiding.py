"""Exclusions at work: a history told with what was hidden when, and the customers of what an exclusion meets.

What an exclusion changes is known from the instant at which it was made (or undone), and never earlier (semantics 57).
"""

from collections.abc import Iterable, Mapping, Sequence

from services.stager.people import Stored
from services.stager.work import Work
from shared.events import unpack
from shared.exclusion import Span, changes, compiled, hidden
from shared.identity import ALWAYS, FOREVER, owner_at
from shared.journeys.engine import Journey
from shared.journeys.ledger import Entry, Fact, Track, fact, fire, net, replay
from shared.journeys.touchpoint import Touchpoint
from shared.store.amendments import filter_of
from shared.store.rows import CURRENT, DONE, EXCLUSION, MARKS, Amendment

Spans = Mapping[str, Sequence[Span]]
"""Of those touchpoints of a history that an exclusion meets or met: when they are hidden, by id."""


def spans_of(work: Work, history: Iterable[Stored]) -> Spans:
    """When the touchpoints of a history are hidden."""
    if not work.plans.exclusions:
        return {}
    return {one.record.id: found for one in history if (found := work.spans(one.record))}


def instants(spans: Spans) -> set[int]:
    """When something of a history was hidden or brought back."""
    return changes([span for found in spans.values() for span in found], ALWAYS)


def told(history: Iterable[Stored], spans: Spans, known: int = FOREVER - 1) -> list[Touchpoint]:
    """The touchpoints of a history, those marked that are hidden as known then; left out: now."""
    touchpoints = [Touchpoint.of(one.record) for one in history]
    for touchpoint in touchpoints if spans else ():
        if hidden(spans.get(touchpoint.id, ()), known):
            touchpoint.excluded = True
    return touchpoints


def retold(
    journey: Journey, history: Sequence[Stored], spans: Spans, held: Iterable[Fact], known: int
) -> tuple[Track, list[Entry]]:
    """`replay` of a history of which some was hidden, or brought back, later than `known`: until then it is told as it
    was seen before, and all that changes by it is entered as known at that instant."""
    entries = list[Entry]()
    for instant in sorted(one for one in instants(spans) if one > known):
        before = [one for one in history if one.recorded < instant]
        track, made = _replay(journey, before, told(before, spans, instant - 1), held, known)
        made += fire(journey, track, instant - 1, max([known, *(one.recorded for one in before)]))
        held = net([*((one, 1) for one in held), *((fact(entry), entry.sign) for entry in made)])
        entries += made
        known = instant
    track, made = _replay(journey, history, told(history, spans), held, known)
    return track, entries + made


def _replay(
    journey: Journey, history: Sequence[Stored], touchpoints: Sequence[Touchpoint], held: Iterable[Fact], known: int
) -> tuple[Track, list[Entry]]:
    recorded = (one.recorded for one in history)
    return replay(journey, list(zip(touchpoints, recorded, strict=True)), held, known)


#: What JSON writes before a character that it writes in another way.
_ESCAPE = b"\\"


def _needle(row: Amendment) -> bytes | None:
    """What every touchpoint that a mark meets has in it, as it lies on the log, unless something there is escaped."""
    return filter_of(row).devices[0].encode() if row.kind == MARKS else None


async def walk(work: Work, row: Amendment, limit: int) -> None:
    """Carries an exclusion, or its undoing, on through the next `limit` streams: whoever has a touchpoint there that it
    meets is left to the deriver."""
    project, meets, needle = row.project, compiled(filter_of(row)), _needle(row)
    streams = dict(await work.session.streams_after(project, row.place, limit))
    spans = [(stream, ALWAYS, FOREVER) for stream in streams]
    met = dict[int, set[int]]()
    for stream, body in await work.session.history(project, spans) if spans else ():
        if needle is not None and needle not in body and _ESCAPE not in body:
            continue
        times = {record.at for _, record in unpack(body) if meets(record)}
        if times:
            met.setdefault(stream, set()).update(times)
    customers = {streams[stream] for stream in met if streams[stream]}
    for device in sorted(stream for stream in met if not streams[stream]):
        parts = await work.directory.shared(project, device)
        customers |= {owner_at(parts, at) for at in met[device]}
    await work.load_people((project, customer) for customer in sorted(customers))
    for customer in sorted(customers):
        if work.people[customer].status == CURRENT:
            work.queue(work.people[customer], EXCLUSION)
    place = max(streams) if len(streams) == limit else DONE
    work.changes.amended.append((project, row.number, row.place, place))
