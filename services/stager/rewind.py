"""The only correction there is: go back to a state before what changed, fold what came since, write the difference."""

from collections.abc import Iterable

from services.stager.hiding import spans_of, told
from services.stager.people import Base, Person, Stored, pack_tracks, unpack_tracks
from services.stager.snapshots import kept
from services.stager.work import Work
from shared.identity import ALWAYS
from shared.journeys.engine import Journey, Move
from shared.journeys.ledger import Fact, Track, catch_up, correct, fact, fire, net, refold
from shared.store.rows import TIMER


def ordered(history: Iterable[Stored]) -> list[Stored]:
    """A history in its order, one touchpoint an id: the first received stands (semantics 3 and 4)."""
    first: dict[str, Stored] = {}
    for stored in sorted(history, key=lambda one: (one.recorded, one.record.at)):
        first.setdefault(stored.record.id, stored)
    return sorted(first.values(), key=lambda one: (one.record.at, one.record.id.encode()))


def record_at(work: Work, person: Person, received: int) -> None:
    """Raises the customer's recorded time for a record received then, and enters the timers that were due before it.

    They are entered as they were known until then; what the record makes untrue of them is reversed after.
    """
    before, recorded = person.recorded, max(person.recorded, received)
    if before < recorded:
        for version, journey in work.plans.journeys(person.project):
            if version in person.tracks:
                try:
                    entries = fire(journey, person.tracks[version], recorded - 1, before)
                except Exception as error:  # noqa: BLE001 - a fault of one journey must not stop the customer's others
                    work.quarantine(person, version, error)
                    continue
                person.entries += [(version, entry, TIMER) for entry in entries]
    person.recorded = recorded


async def rewind(work: Work, person: Person, since: int, cause: int) -> None:
    """Brings a current customer's tracks and ledger up to date after its touchpoints from `since` on have changed.

    All corrections are recorded at `person.recorded`. A rewind that folds more than the limit is left to the deriver.
    """
    if person.base.at >= since and not await _go_back(work, person, since, cause):
        return
    base = person.base
    after = [
        one
        for one in ordered(person.touchpoints())
        if (one.record.at, one.record.id.encode()) > (base.at, base.id.encode())
    ]
    if len(after) > work.rewind_limit:
        work.queue(person, cause)
        return
    tracks = unpack_tracks(base.packed)
    journeys = dict(work.plans.journeys(person.project))
    held = {version: _held(person, version, tracks) for version in person.tracks}
    made = dict[int, list[Move]]()
    for version in list(person.tracks.keys() & journeys.keys()):
        track = tracks.get(version)
        if track is None:
            if base.n:
                person.tracks.pop(version)
                continue
            tracks[version] = Track(journeys[version].start())
        made[version] = []
    tracks = {version: tracks[version] for version in made}
    _refold(work, person, tracks, after, journeys, made)
    for version, moves in made.items():
        if version not in tracks:
            continue
        try:
            timers = catch_up(journeys[version], tracks[version], person.recorded)
        except Exception as error:  # noqa: BLE001 - a fault of one journey must not stop the customer's others
            work.quarantine(person, version, error)
            del tracks[version]
            continue
        later = [move for move in moves + timers if move.at > base.at]
        person.entries += [(version, entry, cause) for entry in correct(held[version], later, person.recorded)]
    person.tracks = tracks
    person.at, person.id = (after[-1].record.at, after[-1].record.id) if after else (base.at, base.id)
    person.dirty = True


def _refold(
    work: Work,
    person: Person,
    tracks: dict[int, Track],
    after: list[Stored],
    journeys: dict[int, Journey],
    made: dict[int, list[Move]],
) -> None:
    """Folds `after` into the tracks, stopping at the touchpoints whose snapshots are to be kept."""
    done, first, spans = 0, person.base.n, spans_of(work, after)
    stops = sorted(n - first for n in kept(first + len(after)) if n > first)
    person.stale_from = min(after[0].record.at if after else person.base.at + 1, person.stale_from or (1 << 62))
    person.snapshots = [one for one in person.snapshots if one[1] < person.stale_from]
    for stop in [*stops, len(after)]:
        touchpoints = told(after[done:stop], spans, person.recorded)
        for version in list(tracks):
            try:
                made[version] += refold(journeys[version], tracks[version], touchpoints)
            except Exception as error:  # noqa: BLE001 - a fault of one journey must not stop the customer's others
                work.quarantine(person, version, error)
                del tracks[version]
        if stop in stops:
            last = after[stop - 1].record
            person.snapshots.append((first + stop, last.at, last.id, pack_tracks(tracks)))
        done = stop


async def _go_back(work: Work, person: Person, since: int, cause: int) -> bool:
    """Makes the newest stored state before `since` the person's base, and loads the history and ledger since it.

    Returns False if that is too much to fold here: the customer is queued.
    """
    found = await work.session.snapshot(person.project, person.customer, since)
    tracks = unpack_tracks(found.body) if found is not None else {}
    if found is None or person.tracks.keys() - tracks.keys():
        at, id_, count, packed = ALWAYS, "", 0, b""
    else:
        at, id_, count, packed = found.at, found.id, found.n, found.body
    if person.count - count > work.rewind_limit:
        work.queue(person, cause)
        return False
    stored = await work.stored(person.project, await work.directory.spans(person), at)
    held = dict[int, list[tuple[Fact, int]]]()
    for row in (await work.session.ledger([(person.project, person.customer)]))[person.customer]:
        if row.at > at:
            held.setdefault(row.version, []).append(((row.at, row.source, row.target), row.sign))
    person.base = Base(at, id_, count, packed, held)
    person.past += stored
    return True


def _held(person: Person, version: int, tracks: dict[int, Track]) -> list[Fact]:
    """The moves after the base that the ledger holds, this batch's included."""
    base = person.base
    if base.held is not None:
        entries = list(base.held.get(version, ()))
    else:
        entries = [(fact(move), 1) for move in tracks[version].written] if version in tracks else []
    entries += [(fact(entry), entry.sign) for of, entry, _ in person.entries if of == version]
    return net((key, sign) for key, sign in entries if key[0] > base.at)


def reverse(person: Person, held: dict[int, list[tuple[Fact, int]]], recorded: int, cause: int) -> None:
    """Takes back everything that the ledger holds of a customer, this batch's entries included: it is no more."""
    for version, entry, _ in person.entries:
        held.setdefault(version, []).append((fact(entry), entry.sign))
    for version, entries in held.items():
        person.entries += [(version, entry, cause) for entry in correct(net(entries), [], recorded)]
