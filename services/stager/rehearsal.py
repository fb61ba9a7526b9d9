"""What staging records would change, worked out by the very code that stages them, and never written."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.stager.people import Cache, Person, unpack_tracks
from services.stager.stage import stage
from services.stager.work import Plans, Work, source_key
from shared.events import Record, encode
from shared.journeys.engine import ABSENT, Journey
from shared.journeys.ledger import Track, pending
from shared.store.port import Session
from shared.store.rows import BEHIND, Claim

#: Where the numbers of customers begin that a rehearsal makes up: no partition gives such.
MADE_UP = 1 << 61

Stages = dict[int, int]
"""The stage that a customer stands in, by journey version."""


class Change(NamedTuple):
    """A customer who would stand elsewhere in a version of a journey. `customer` is None for a new one."""

    customer: int | None
    version: int
    source: int
    target: int


class Effect(NamedTuple):
    """What one record would do.

    `customer` is whose it would be, None: a new one's. A `duplicate` changes nothing. A customer who is `behind` is
    derived from its whole history afterwards: until then it cannot be said where they stand. `unfollowed` are what the
    record says of identifiers and would not be followed: (code, reason).
    """

    customer: int | None
    duplicate: bool
    behind: bool
    changes: list[Change]
    unfollowed: list[tuple[str, str]]


class Rehearsal:
    """Stages records one after another, each on top of those before it, as of `now` (microseconds)."""

    def __init__(self, session: Session, plans: Plans, rewind_limit: int, now: int) -> None:
        claim = Claim(partition=0, epoch=0, position=0, next_id=MADE_UP, next_seq=0, clock=0)
        self._session, self._plans, self._now = session, plans, now
        self._work = Work(session, Cache(0), plans, claim, rewind_limit)
        self._stood = dict[int, Stages]()
        self._staged = 0

    async def stage(self, record: Record) -> Effect:
        """What this one would do."""
        work = self._work
        duplicates, refused = work.changes.duplicates, len(work.changes.rejections)
        await stage(work, [encode(record)], self._staged)
        self._staged += 1
        key = source_key(record)
        identity = await work.directory.identity(key)
        whose = None if identity is None else await work.directory.owner(key, identity, record.at)
        await self._look_back([person for number, person in work.people.items() if number not in self._stood])
        return Effect(
            customer=None if whose is None or work.people[whose].new else whose,
            duplicate=work.changes.duplicates > duplicates,
            behind=whose is not None and work.people[whose].status == BEHIND,
            changes=[change for person in work.people.values() for change in self._changes(person)],
            unfollowed=[(one.code, one.message) for one in work.changes.rejections[refused:]],
        )

    async def _look_back(self, people: Sequence[Person]) -> None:
        """Notes where customers stood before anything was rehearsed."""
        known = [(person.project, person.customer) for person in people if not person.new]
        rows = await self._session.customers(known) if known else {}
        for person in people:
            row = rows.get(person.customer)
            tracks = {} if row is None else unpack_tracks(row.states)
            self._stood[person.customer] = self._stages(person.project, tracks)

    def _changes(self, person: Person) -> Iterable[Change]:
        if person.status == BEHIND:
            return
        before, after = self._stood[person.customer], self._stages(person.project, person.tracks)
        self._stood[person.customer] = after
        for version in sorted(before.keys() | after.keys()):
            source, target = before.get(version, ABSENT), after.get(version, ABSENT)
            if source != target:
                yield Change(None if person.new else person.customer, version, source, target)

    def _stages(self, project: int, tracks: dict[int, Track]) -> Stages:
        journeys = dict(self._plans.journeys(project))
        return {version: _stage(journeys[version], tracks[version], self._now) for version in tracks.keys() & journeys}


def _stage(journey: Journey, track: Track, now: int) -> int:
    """The stage by now, timers that are due included."""
    moves = [*track.written, *pending(journey, track, now)]
    return moves[-1].target if moves else track.state.stage
