"""Staging a batch: the log values of one partition, in order, become touchpoints, moves and ledger entries.

Records that come in their order to a customer who is at hand are folded in one plain loop. Whatever needs more (a
statement that links identifiers, a late record, a shared device) is done one by one beside it, with reads of its own.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from services.stager.people import Key, Person, hash_of, pack_tracks
from services.stager.relink import relink, statement
from services.stager.rewind import rewind
from services.stager.snapshots import EVERY
from services.stager.work import Work, source_key
from shared.events import Record, decode
from shared.journeys.ledger import Track, follow
from shared.journeys.touchpoint import Touchpoint
from shared.store.port import CURRENT, IMPORT, LATE, LIVE, TIMER

#: Records folded in a row before other tasks of the process get a turn.
TURN = 500

STATEMENTS = ("identify", "alias")


async def stage(work: Work, values: Sequence[bytes], first: int) -> int:
    """Stages the values, whose first lies at position `first` of the log. What it makes is in `work`, not yet written.

    Returns the latest received time among them, 0 if none could be decoded.
    """
    records = list[tuple[Record, bytes]]()
    for position, value in enumerate(values, first):
        try:
            records.append((decode(value), value))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            work.dead(position, value, str(error), work.claim.clock)
    await _prepare(work, [record for record, _ in records])
    done = 0
    while done < len(records):
        done = _fold(work, records, done, min(done + TURN, len(records)))
        if done < len(records) and not _plain(work, records[done][0]):
            await _one(work, *records[done])
            done += 1
        else:
            await asyncio.sleep(0)
    return max((record.received for record, _ in records), default=0)


async def _prepare(work: Work, records: Sequence[Record]) -> None:
    """Reads what the batch will need in as few questions as it takes."""
    keys = dict[Key, None]()
    for record in records:
        keys[source_key(record)] = None
        if record.type in STATEMENTS and (said := statement(record)) is not None:
            keys |= dict.fromkeys(key for key in said if key is not None)
    missing = [key for key in keys if work.cache.identity(key) is None]
    if missing:
        await work.directory.load(missing)
    found = [(key[0], identity.customer) for key in keys if (identity := work.cache.identity(key)) is not None]
    await work.load_people(dict.fromkeys(pair for pair in found if pair[1]))


def _plain(work: Work, record: Record) -> bool:
    """Whether the record can be folded without reading anything."""
    if record.imported or (record.type in STATEMENTS and statement(record) is not None):
        return False
    identity = work.cache.identity(source_key(record))
    if identity is None:
        return True
    person = work.people.get(identity.customer)
    return (
        person is not None
        and person.status == CURRENT
        and (record.at > person.at or (record.at == person.at and record.id.encode() > person.id.encode()))
    )


def _fold(work: Work, records: Sequence[tuple[Record, bytes]], start: int, end: int) -> int:
    """Folds plain records from `start` on; returns where it stopped: at `end`, or at one that is not plain."""
    people = work.people
    for i in range(start, end):
        record, value = records[i]
        if not _plain(work, record):
            return i
        key = source_key(record)
        identity = work.cache.identity(key) or work.create(key)
        person = people[identity.customer]
        hashed = hash_of(record.id)
        if person.knows(hashed):
            work.changes.duplicates += 1
            continue
        fold(work, person, identity.stream, record, value, hashed)
        if record.type == "identify":
            note_email(work, identity.stream, record)
    return end


def fold(work: Work, person: Person, stream: int, record: Record, value: bytes, hashed: bytes) -> None:
    """Folds a new record that comes after all others of a current customer."""
    before = person.recorded
    recorded = record.received if record.received > before else before
    first = person.count == 0
    work.keep(person, stream, record, recorded, value, hashed)
    tracks, entries = person.tracks, person.entries
    touchpoint = Touchpoint.of(record)
    for version, journey in work.plans.journeys(person.project):
        track = tracks.get(version)
        if track is None:
            if not first:
                continue
            track = tracks[version] = Track(journey.start())
        try:
            for entry in follow(journey, track, touchpoint, before, recorded):
                entries.append((version, entry, LATE if entry.late else TIMER if entry.timer else LIVE))
        except Exception as error:  # noqa: BLE001 - a fault of one journey must not stop the customer's others
            work.quarantine(person, version, error)
    person.at, person.id, person.recorded = record.at, record.id, recorded
    if person.count % EVERY == 0:
        take_snapshot(person)


async def _one(work: Work, record: Record, value: bytes) -> None:
    """Stages one record that is not plain."""
    key = source_key(record)
    identity = await work.directory.identity(key)
    hashed = hash_of(record.id)
    if identity is not None:
        person = await work.person(record.project, await work.directory.owner(key, identity, record.at))
        if person.knows(hashed):
            work.changes.duplicates += 1
            return
    said = statement(record)
    if said is not None:
        await relink(work, record, said)
    identity = await work.directory.identity(key) or work.create(key)
    if record.type == "identify":
        note_email(work, identity.stream, record)
    person = await work.person(record.project, await work.directory.owner(key, identity, record.at))
    if record.imported and person.status == CURRENT:
        work.queue(person, IMPORT)
    if person.status != CURRENT:
        work.keep(person, identity.stream, record, record.received, value, hashed)
        if (record.at, record.id.encode()) > (person.at, person.id.encode()):
            person.at, person.id = record.at, record.id
    elif (record.at, record.id.encode()) > (person.at, person.id.encode()):
        fold(work, person, identity.stream, record, value, hashed)
    else:
        person.recorded = max(person.recorded, record.received)
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
