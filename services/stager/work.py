"""A unit of work: what one transaction reads, changes in memory, and writes.

Staging a batch, firing timers and deriving queued customers each make one, and end in `write`. All it knows of
identifiers and customers is the store's, overlaid with what it has changed itself.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.stager.directory import Directory
from services.stager.naming import name_rows
from services.stager.owning import check_owners
from services.stager.people import Cache, Kept, Key, Person, Stored
from services.stager.snapshots import kept, thinned
from shared.events import Record, pack, unpack
from shared.exclusion import Exclusions, Span
from shared.identity import ALWAYS
from shared.journeys.engine import Journey
from shared.journeys.ledger import Track, next_due
from shared.statement import Said
from shared.store.amendments import retraction_of
from shared.store.port import Session
from shared.store.rows import (
    ANONYMOUS,
    BEHIND,
    CURRENT,
    DONE,
    ID_BITS,
    USER,
    Amendment,
    Changes,
    Claim,
    DeadLetterRow,
    HistoryRow,
    Identity,
    LedgerRow,
    QuarantineRow,
    SnapshotRow,
    mark_of,
)


class Plans(NamedTuple):
    """The journeys in force, compiled: per project, (version, journey). `generation` is the catalog's.

    `joined` are the projects in which the users of one device are one customer; a merge that would make a customer of
    more than `merge_limit` identifiers is not followed. `exclusions` are those of each project that has some, with the
    undone ones; `retractions` all there are. With `marking`, browsers may mark themselves by a link.
    """

    generation: int
    of: dict[int, tuple[tuple[int, Journey], ...]]
    joined: frozenset[int]
    merge_limit: int
    exclusions: dict[int, Exclusions]
    retractions: tuple[Amendment, ...]
    marking: bool = False

    def retraction(self) -> Amendment | None:
        """One that is still to be carried out."""
        return next((row for row in self.retractions if row.place < DONE), None)

    def retracted(self, project: int) -> list[Said]:
        """The statements that are taken back."""
        rows = (row for row in self.retractions if row.project == project and row.undone_at is None)
        return [one for row in rows for one in retraction_of(row).statements]

    def journeys(self, project: int) -> tuple[tuple[int, Journey], ...]:
        """The project's journeys."""
        return self.of.get(project, ())

    def versions(self, project: int) -> set[int]:
        """Their versions."""
        return {version for version, _ in self.journeys(project)}


class Work:
    """Reads through `session`, remembers in `cache`, writes for the partition of `claim`."""

    def __init__(self, session: Session, cache: Cache, plans: Plans, claim: Claim, rewind_limit: int) -> None:
        self.session, self.cache, self.plans, self.claim = session, cache, plans, claim
        self.rewind_limit = rewind_limit
        self.changes = Changes(claim, claim.position, claim.next_id, claim.next_seq, claim.clock, plans.generation)
        self.directory = Directory(session, cache, self.changes)
        self.people: dict[int, Person] = {}
        self.names: defaultdict[tuple[int, str, str | None], list[int]] = defaultdict(list)
        self.history: dict[int, tuple[int, list[Kept]]] = {}  # stream → project, what it is to hold

    async def person(self, project: int, customer: int) -> Person:
        """The customer, with all its ids at hand."""
        await self.load_people([(project, customer)])
        return self.people[customer]

    async def load_people(self, wanted: Iterable[tuple[int, int]]) -> set[int]:
        """Brings customers into this unit of work, from the cache or the store, with all their ids.

        Returns those whose rows were read from the store.
        """
        people, cache = self.people, self.cache
        missing = list[tuple[int, int]]()
        incomplete = list[tuple[int, int]]()
        for project, customer in wanted:
            if customer in people:
                continue
            person = cache.person(customer)
            if person is None:
                missing.append((project, customer))
            else:
                people[customer] = person
                if not person.complete():
                    incomplete.append((project, customer))
        if missing:
            for customer, row in (await self.session.customers(missing)).items():
                person = people[customer] = cache.people[customer] = Person(row)
                person.keep(self.plans.versions(row.project))
                if not person.complete():
                    incomplete.append((row.project, customer))
        if incomplete:
            for customer, packed in (await self.session.ids(incomplete)).items():
                people[customer].ids = {packed[i : i + 8] for i in range(0, len(packed), 8)}
        return {customer for _, customer in missing}

    def create(self, key: Key, customer: int | None = None) -> Identity:
        """Makes an identifier, and a customer with it if none is given."""
        identity = self.directory.create(key, customer)
        if customer is None:
            person = Person.born(key[0], identity.customer)
            self.people[identity.customer] = self.cache.people[identity.customer] = person
        return identity

    def start_tracks(self, project: int) -> dict[int, Track]:
        """The tracks of a customer without touchpoints."""
        return {version: Track(journey.start()) for version, journey in self.plans.journeys(project)}

    def spans(self, record: Record) -> list[Span]:
        """When exclusions hide a record; none for most (semantics 57)."""
        exclusions = self.plans.exclusions.get(record.project)
        return [] if exclusions is None else exclusions.spans(record)

    async def stored(self, project: int, spans: Sequence[tuple[int, int, int]], since: int) -> list[Stored]:
        """The stored touchpoints in the spans from `since` on, in no order, duplicates of joined streams included."""
        cut = [(stream, max(start, since), end) for stream, start, end in spans if end >= since]
        rows = await self.session.history(project, cut) if cut else []
        return _within(cut, _unpacked(rows))

    async def histories(self, people: Sequence[Person]) -> dict[int, list[Stored]]:
        """All stored touchpoints of each of many customers."""
        spans = await self.directory.spans_of(people)
        wanted: dict[int, list[tuple[int, int, int]]] = {}
        for person in people:
            wanted.setdefault(person.project, []).extend(spans[person.customer])
        stored: dict[int, list[Stored]] = {}
        for project, cut in wanted.items():
            stored |= _unpacked(await self.session.history(project, cut) if cut else [])
        return {customer: _within(cut, stored) for customer, cut in spans.items()}

    def keep(self, person: Person, stream: int, record: Record, recorded: int, value: bytes, hashed: bytes) -> None:
        """Stages a touchpoint: it will be stored under its stream, and is the customer's."""
        kept = (recorded, value, record.at, hashed, stream)
        found = self.history.get(stream)
        if found is None:
            self.history[stream] = record.project, [kept]
        else:
            found[1].append(kept)
        if not record.excluded:
            self.names[record.project, record.type, record.name].append(record.at)
        person.remember(hashed)
        person.fresh.append(kept)
        person.dirty = True

    def queue(self, person: Person, cause: int) -> None:
        """Leaves the customer to the deriver: until it has been derived anew it is *behind* and nothing is folded."""
        person.status = BEHIND
        person.tracks = {}
        person.queue = cause
        person.stale_from = ALWAYS
        person.snapshots.clear()
        person.dirty = True

    def quarantine(self, person: Person, version: int, error: Exception) -> None:
        """Takes one journey of one customer out of the running; the rest goes on."""
        person.tracks.pop(version, None)
        person.dirty = True
        text = f"{type(error).__name__}: {error}"[:500]
        at = time.time_ns() // 1000
        self.changes.quarantined.append(QuarantineRow(person.project, person.customer, version, at, text))

    def dead(self, position: int, value: bytes, reason: str, received: int) -> None:
        """A log value that nobody can decode."""
        self.changes.dead_letters.append(DeadLetterRow(0, self.claim.partition, position, received, reason, value))

    async def write(self, position: int, clock: int) -> Claim:
        """Writes everything and returns the claim as it then stands. Raises what `Session.write` raises."""
        changes = self.changes
        journeys = {project: dict(pairs) for project, pairs in self.plans.of.items()}
        people = [self.people[customer] for customer in sorted(self.people) if self.people[customer].dirty]
        partition, seq = self.claim.partition, self.claim.next_seq
        for person in people:
            if person.tracks or person.packed:
                person.packed = person.pack() if person.tracks else b""
            for version, entry, cause in person.entries:
                changes.ledger.append(
                    LedgerRow(
                        person.project,
                        version,
                        person.customer,
                        entry.at,
                        entry.source,
                        entry.target,
                        cause,
                        entry.recorded,
                        entry.sign,
                        partition,
                        seq,
                    )
                )
                seq += 1
            self._timer(person, journeys.get(person.project, {}))
            if person.stale_from is not None and not person.new:
                changes.stale_snapshots.append((person.project, person.customer, person.stale_from))
            if person.snapshots:
                self._snapshots(person)
            if person.queue is not None:
                since = min((one.record.received for one in person.touchpoints()), default=clock)
                changes.queued.append((person.project, person.customer, person.queue, since))
            (changes.new_customers if person.new else changes.customers).append(person.row())
        self._pack_history(mark_of(partition, position))
        changes.position, changes.clock = position, max(clock, self.claim.clock)
        changes.next_seq = seq
        changes.names = await name_rows(self.session, self.cache, self.names, partition)
        await check_owners(self.session, self.directory)
        await self.session.write(changes)
        for person in people:
            person.revision += not person.new
            person.new = False
            person.begin()
        self.cache.turn(self.people.values())
        return self.claim._replace(position=position, next_id=changes.next_id, next_seq=seq, clock=changes.clock)

    def _snapshots(self, person: Person) -> None:
        project, customer, keep = person.project, person.customer, kept(person.count)
        gone = set[int]().union(*(thinned(one[0]) for one in person.snapshots))
        self.changes.thinned_snapshots += [(project, customer, n) for n in sorted(gone)]
        self.changes.snapshots += [SnapshotRow(project, customer, *one) for one in person.snapshots if one[0] in keep]

    def _timer(self, person: Person, journeys: dict[int, Journey]) -> None:
        """Registers the next due time. An earlier one may stand: the sweep then registers anew."""
        due: int | None = None
        if person.status == CURRENT:
            for version, track in person.tracks.items():
                journey = journeys.get(version)
                at = None if journey is None else next_due(journey, track) if track.written else track.state.due
                if at is not None and (due is None or at < due):
                    due = at
        if due is None:
            if person.due is not None:
                self.changes.timers.append((person.project, person.customer, None))
                person.due = None
        elif person.due is None or due < person.due:
            self.changes.timers.append((person.project, person.customer, due))
            person.due = due

    def _pack_history(self, mark: int) -> None:
        append = self.changes.history.append
        for stream in sorted(self.history):
            project, rows = self.history[stream]
            lo = hi = rows[0][2]
            ids, body = [], []
            for recorded, value, at, hashed, _ in rows:
                if at > hi:
                    hi = at
                elif at < lo:
                    lo = at
                ids.append(hashed)
                body.append((recorded, value))
            append(HistoryRow(project, stream, lo, hi, len(rows), b"".join(ids), pack(body), mark))
            self.changes.staged += len(rows)


def _unpacked(rows: Iterable[tuple[int, bytes]]) -> dict[int, list[Stored]]:
    found: dict[int, list[Stored]] = {}
    for stream, body in rows:
        found.setdefault(stream, []).extend(Stored(record, recorded, stream) for recorded, record in unpack(body))
    return found


def _within(spans: Iterable[tuple[int, int, int]], stored: dict[int, list[Stored]]) -> list[Stored]:
    return [one for stream, start, end in spans for one in stored.get(stream, ()) if start <= one.record.at <= end]


def source_key(record: Record) -> Key:
    """The identifier that a record was sent with: its user id, else its anonymous id."""
    if record.user is not None:
        return record.project, USER, record.user
    return record.project, ANONYMOUS, record.anonymous or ""


def home(customer: int) -> int:
    """The partition whose owner fires a customer's timers and derives it."""
    return customer >> ID_BITS
