"""Staging a batch: the log values of one partition, in order, become touchpoints, moves and ledger entries.

Records that come in their order to a customer who is at hand are folded in one plain loop. Whatever needs more (a
statement that links identifiers, a late record, a shared device) is done one by one beside it, with reads of its own.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from services.stager.marking import MARK, mark
from services.stager.people import Key, Person, hash_of, pack_tracks
from services.stager.relink import Statement, foresee, relink, statement
from services.stager.rewind import record_at, rewind
from services.stager.snapshots import EVERY
from services.stager.work import Work, source_key
from shared.events import PLACEMENT, Record, Undecodable, read
from shared.exclusion import Span, changes, hidden
from shared.journeys.ledger import Track, follow
from shared.journeys.touchpoint import Touchpoint
from shared.placement import placed
from shared.store.rows import CURRENT, EXCLUSION, IMPORT, LATE, LIVE, MANUAL, TIMER

#: Records taken in hand at once: few enough to lie in the processor's cache from their decoding to their fold.
STEP = 2000

STATEMENTS = ("identify", "alias")


Arrival = tuple[Record, bytes, Key]
"""A record of the batch, its log value, and the identifier that it was sent with."""


async def stage(work: Work, values: Sequence[bytes], first: int) -> int:
    """Stages the values, whose first lies at position `first` of the log. What it makes is in `work`, not yet written.

    Returns the latest received time among them, 0 if none could be decoded.
    """
    newest = 0
    for start in range(0, len(values), STEP):
        arrivals = await _take(work, values[start : start + STEP], first + start)
        newest = max([newest, *[record.received for record, _, _ in arrivals]])
        done = 0
        while (done := _fold(work, arrivals, done)) < len(arrivals):
            await _one(work, arrivals[done])
            done += 1
        await asyncio.sleep(0)  # other tasks of the process get a turn
    return newest


async def _take(work: Work, values: Sequence[bytes], first: int) -> list[Arrival]:
    """Decodes values, and reads what they will need in as few questions as it takes."""
    arrivals, statements = list[Arrival](), list[Statement]()
    people, identities = work.people, work.cache.identities
    unknown, absent = set[Key](), set[tuple[int, int, int]]()
    for position, value in enumerate(values, first):
        try:
            record = read(value)
        except Undecodable as error:
            work.dead(position, value, str(error), work.claim.clock)
            continue
        key = source_key(record)
        arrivals.append((record, value, key))
        identity = identities.get(key)
        if identity is None or not identity.customer:
            unknown.add(key)
        elif identity.customer not in people:
            absent.add((key[0], identity.stream, identity.customer))
        if record.type in STATEMENTS and (said := statement(record)) is not None:
            statements.append(said)
    if unknown or absent or statements:
        await _prepare(work, unknown, absent, statements)
    return arrivals


async def _prepare(
    work: Work, unknown: set[Key], absent: set[tuple[int, int, int]], statements: Sequence[Statement]
) -> None:
    """Reads the identifiers, the customers and the devices' links that are not at hand yet.

    `absent` are (project, stream, customer) of identifiers whose customers this unit has not touched yet.
    """
    keys = unknown | {key for said in statements for key in said if key is not None}
    identities = await work.directory.load(keys)
    absent.update((key[0], identity.stream, identity.customer) for key, identity in identities.items())
    read = await work.load_people({(project, customer) for project, _, customer in absent if customer})
    work.directory.rely(one for one in absent if not one[2] or one[2] in read)
    devices = {said.device for said in statements}
    await work.directory.load_links(
        {(key[0], identity.stream) for key, identity in identities.items() if key in devices or not identity.customer}
    )
    if statements:
        work.directory.know(identities.values())
        await foresee(work, statements)


def _fold(work: Work, arrivals: Sequence[Arrival], start: int) -> int:
    """Folds plain records from `start` on; returns where it stopped: at the end, or at one that needs more.

    Plain is a record that says nothing of identifiers, is not imported, comes last in its customer's history, and is
    met by no exclusion.
    """
    people, identities, excluding = work.people, work.cache.identities, bool(work.plans.exclusions)
    marking = work.plans.marking
    for i in range(start, len(arrivals)):
        record, value, key = arrivals[i]
        type_ = record.type
        if record.imported or (type_ in STATEMENTS and statement(record) is not None):
            return i
        if (excluding and work.spans(record)) or (marking and type_ == "page" and MARK in value):
            return i
        identity = identities.get(key) or work.create(key)
        person = people.get(identity.customer)
        if person is None or person.status != CURRENT:
            return i
        if record.at <= person.at and not comes_after(record, person):
            return i
        hashed = hash_of(record.id)
        if person.knows(hashed):
            work.changes.duplicates += 1
            continue
        fold(work, person, identity.stream, record, value, hashed)
        if type_ == "identify":
            note_email(work, identity.stream, record)
    return len(arrivals)


def comes_after(record: Record, person: Person) -> bool:
    """Whether the record comes after all of the customer's others (semantics 3)."""
    return (record.at, record.id.encode()) > (person.at, person.id.encode())


def fold(
    work: Work, person: Person, stream: int, record: Record, value: bytes, hashed: bytes, spans: Sequence[Span] = ()
) -> None:
    """Folds a new record that comes after all others of a current customer; in `spans` it is hidden."""
    before, recorded = person.recorded, record.received
    if recorded < before:
        recorded = before
    if not person.count:
        person.tracks = work.start_tracks(person.project)
    work.keep(person, stream, record, recorded, value, hashed)
    touchpoint, tracks = Touchpoint.of(record), person.tracks
    if spans and hidden(spans, recorded):
        touchpoint.excluded = True
    said = placed(touchpoint.properties) if record.type == PLACEMENT else None
    for version, journey in work.plans.journeys(person.project):
        track = tracks.get(version)
        if track is None:
            continue  # the deriver will make it, or it is quarantined
        try:
            for entry in follow(journey, track, touchpoint, before, recorded):
                made = LIVE if said is None or said.journey != journey.name else MANUAL
                person.entries.append((version, entry, LATE if entry.late else TIMER if entry.timer else made))
        except Exception as error:  # noqa: BLE001 - a fault of one journey must not stop the customer's others
            work.quarantine(person, version, error)
    person.at, person.id, person.recorded = record.at, record.id, recorded
    if person.count % EVERY == 0:
        take_snapshot(person)


async def _one(work: Work, arrival: Arrival) -> None:
    """Stages one record that is not plain."""
    record, value, key = arrival
    identity = await work.directory.identity(key)
    hashed = hash_of(record.id)
    if identity is not None:
        person = await work.person(record.project, await work.directory.owner(key, identity, record.at))
        if person.knows(hashed):
            work.changes.duplicates += 1
            return
    if work.plans.marking and MARK in value:
        mark(work, record)
    said = statement(record)
    if said is not None:
        await relink(work, record, said)
    identity = await work.directory.identity(key) or work.create(key)
    if record.type == "identify":
        note_email(work, identity.stream, record)
    person = await work.person(record.project, await work.directory.owner(key, identity, record.at))
    spans = work.spans(record)
    if person.status == CURRENT and (record.imported or changes(spans, max(record.received, person.recorded))):
        work.queue(person, IMPORT if record.imported else EXCLUSION)
    if person.status != CURRENT:
        work.keep(person, identity.stream, record, max(record.received, person.recorded), value, hashed)
        if comes_after(record, person):
            person.at, person.id = record.at, record.id
    elif comes_after(record, person):
        fold(work, person, identity.stream, record, value, hashed, spans)
    else:
        record_at(work, person, record.received)
        work.keep(person, identity.stream, record, person.recorded, value, hashed)
        await rewind(work, person, record.at, LATE)


def take_snapshot(person: Person) -> None:
    """Takes a snapshot of a customer who has just folded its touchpoint number `count`."""
    bare = {version: Track(track.state) for version, track in person.tracks.items()}
    person.snapshots.append((person.count, person.at, person.id, pack_tracks(bare)))


_traits = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def note_email(work: Work, stream: int, record: Record) -> None:
    """Makes a customer findable by the e-mail address among the traits."""
    raw = _traits(record.traits).get("email")
    if raw is not None:
        address = msgspec.json.decode(raw)
        if isinstance(address, str) and 0 < len(address) <= 320 and "\0" not in address:
            work.changes.emails.append((record.project, address.strip().lower(), stream))
