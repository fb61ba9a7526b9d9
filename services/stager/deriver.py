"""The deriver: customers whose history is too much for a batch, imported, or not yet known to a new journey.

Each is derived once from its whole history, under its row's revision; batches go on meanwhile, and only store its
touchpoints. See design rule 8 (a state either exists and is folded, or is made here).
"""

import asyncio
from collections.abc import Collection, Sequence

from services.stager.hiding import Spans, instants, retold, spans_of, told
from services.stager.people import Person, Stored, pack_tracks
from services.stager.rewind import ordered
from services.stager.snapshots import kept
from services.stager.work import Work
from shared.identity import ALWAYS
from shared.journeys.engine import Journey
from shared.journeys.ledger import Entry, Fact, Track, fire, net, refold
from shared.store.rows import BEHIND, CURRENT, MERGE, MERGED, LedgerRow


async def derive(work: Work, queued: Sequence[tuple[int, int, int]], clock: int, limit: int) -> None:
    """Derives the first of the queued (project, customer, cause): one at least, then up to `limit` touchpoints."""
    await work.load_people((project, customer) for project, customer, _ in queued)
    people, touchpoints = dict[int, Person](), 0
    for _, customer, _ in queued:
        person = work.people[customer]
        touchpoints += person.count
        if people and touchpoints > limit:
            break
        people[customer] = person
    work.changes.unqueued += [(person.project, customer) for customer, person in people.items()]
    causes = {customer: cause for _, customer, cause in queued}
    await derive_missing(work, people, causes, clock)


async def derive_missing(
    work: Work, people: dict[int, Person], causes: dict[int, int], clock: int, only: Collection[int] | None = None
) -> None:
    """Derives customers by the versions that they lack, or by `only` those among them."""
    if not people:
        return
    histories = await work.histories(list(people.values()))
    ledgers = await work.session.ledger([(person.project, customer) for customer, person in people.items()])
    for customer, person in people.items():
        if person.status != MERGED:
            held = set[int]() if person.status == BEHIND else person.tracks.keys()
            wanted = work.plans.versions(person.project) - held
            wanted &= wanted if only is None else set(only)
            _derive_one(work, person, wanted, causes[customer], clock, ordered(histories[customer]), ledgers[customer])
        await asyncio.sleep(0)


def _derive_one(
    work: Work,
    person: Person,
    versions: Collection[int],
    cause: int,
    clock: int,
    history: list[Stored],
    rows: list[LedgerRow],
) -> None:
    """Derives one customer by these versions, timers due before `clock` included."""
    ledger = dict[int, list[tuple[Fact, int]]]()
    for row in rows:
        ledger.setdefault(row.version, []).append(((row.at, row.source, row.target), row.sign))
        person.recorded = max(person.recorded, row.recorded)
    tracks = {} if person.status == BEHIND else dict(person.tracks)
    journeys = dict(work.plans.journeys(person.project))
    person.dirty, person.status = True, CURRENT
    if history:
        person.at, person.id = history[-1].record.at, history[-1].record.id
    spans = spans_of(work, history)
    latest = max([*(one.recorded for one in history), *instants(spans)], default=0)
    for version in versions:
        try:
            # Whoever joins or parts is entered as known from then on, also where the ledger has nothing of them yet.
            held = ledger.get(version, [] if cause == MERGE else None)
            track, entries = _derive(journeys[version], history, spans, held, person.recorded)
            known = max(person.recorded, latest)
            entries += fire(journeys[version], track, clock - 1, known)
        except Exception as error:  # noqa: BLE001 - a fault of one journey must not stop the customer's others
            work.quarantine(person, version, error)
            continue
        tracks[version] = track
        person.entries += [(version, entry, cause) for entry in entries]
    person.recorded = max([person.recorded, latest, *(entry.recorded for _, entry, _ in person.entries)])
    person.tracks = tracks
    _snapshots(person, {version: journeys[version] for version in tracks}, history, spans)


def _derive(
    journey: Journey, history: list[Stored], spans: Spans, held: list[tuple[Fact, int]] | None, recorded: int
) -> tuple[Track, list[Entry]]:
    """The track and its entries: record by record, after what the ledger holds as known at `recorded`."""
    return retold(journey, history, spans, *(((), 0) if held is None else (net(held), recorded)))


def _snapshots(person: Person, journeys: dict[int, Journey], history: list[Stored], spans: Spans) -> None:
    """Takes all snapshots anew, with every version in them."""
    person.stale_from, person.snapshots = ALWAYS, []
    tracks, done = {version: Track(journey.start()) for version, journey in journeys.items()}, 0
    for stop in sorted(kept(len(history))):
        touchpoints = told(history[done:stop], spans)
        for version, track in tracks.items():
            refold(journeys[version], track, touchpoints)
        last = history[stop - 1].record
        person.snapshots.append((stop, last.at, last.id, pack_tracks(tracks)))
        done = stop
