"""What lies in the store and what one transaction writes: rows as plain tuples, with the numbers that stand in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.events import DAY, SECOND

#: A customer's id holds its home partition in the bits above these.
ID_BITS = 40
HOUR = 3600 * SECOND

USER, ANONYMOUS = 0, 1

#: Causes of ledger entries, by number as stored.
CAUSES = ("live", "timer", "late", "merge", "import", "backfill", "rollback", "exclusion", "erasure", "manual")
LIVE, TIMER, LATE, MERGE, IMPORT, BACKFILL, ROLLBACK, EXCLUSION, ERASURE, MANUAL = range(10)

#: Levels of the population roll-ups: everything, days and hours (of `at` and of `recorded`, from the epoch, UTC).
TOTAL, BY_DAY, BY_HOUR = range(3)

#: What a customer's row is: current, waiting for the deriver, or merged into another.
CURRENT, BEHIND, MERGED = range(3)

#: What an amendment is: an exclusion, a retraction, or an exclusion that a browser made for itself by a link.
EXCLUDES, RETRACTS, MARKS = range(3)
#: An amendment's place when the stagers are still to be told of it, and when it has been carried out.
UNTOLD, DONE = -1, 1 << 62
#: Browsers of a project that may mark themselves, those included that have taken it back.
MARKED = 500
#: Who made a mark, and why.
BY_LINK = ("the browser itself", "it opened a page with milepost_internal=on")

#: Rejections kept of each code of a project: a flood of one leaves the others alone.
REJECTIONS_OF_A_CODE = 2_500


class Claim(NamedTuple):
    """A partition held by this process: where it stands, and the fence that proves it."""

    partition: int
    epoch: int
    position: int
    next_id: int
    next_seq: int
    clock: int


class Identity(NamedTuple):
    """An identifier: its stream (under which its touchpoints are stored, for ever) and the customer it belongs to.

    `customer` is 0 for a device that several customers share: its links say whose it was when.
    """

    stream: int
    customer: int


class CustomerRow(NamedTuple):
    """A customer as stored.

    `count` touchpoints are folded, the last of them at (`at`, `id`); `recorded` is the highest recorded time so far;
    `recent` the packed hashes of the last ids; `states` the packed tracks by journey version; `due` the instant that
    the timers table holds (never later than the true one), or None; `status` CURRENT, BEHIND or MERGED; `into` the
    customer it was merged into, or 0. `revision` is the one read; writing raises it by one.
    """

    project: int
    customer: int
    revision: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody calls on a row
    at: int
    id: str
    recorded: int
    recent: bytes
    states: bytes
    due: int | None
    status: int
    into: int


class LinkRow(NamedTuple):
    """A statement that the device with stream `stream` belongs to the user with stream `owner` from (`at`, `id`) on."""

    project: int
    stream: int
    at: int
    id: str
    owner: int


class HistoryRow(NamedTuple):
    """Touchpoints of one stream, staged by one batch: `n` of them, between `lo` and `hi`.

    `ids` are 8-byte hashes of their ids, `body` is `shared.events.pack`; `mark` is `mark_of` the batch.
    """

    project: int
    stream: int
    lo: int
    hi: int
    n: int
    ids: bytes
    body: bytes
    mark: int


def mark_of(writer: int, position: int) -> int:
    """What rises with every batch of a writer: which it was, and the position of the log at which its batch ended.

    A writer's batches are committed one after another, so whoever has read up to a mark of each writer has all before.
    """
    return writer << 48 | position


class LedgerRow(NamedTuple):
    """One entry: a move of a customer in a journey version, or (sign −1) its reversal. Stages by number; see
    `shared.journeys`. (`writer`, `seq`) identifies it and rises in the order of commits of one writer."""

    project: int
    version: int
    customer: int
    at: int
    source: int
    target: int
    cause: int
    recorded: int
    sign: int
    writer: int
    seq: int


class SnapshotRow(NamedTuple):
    """A customer's packed tracks just after its `n`-th touchpoint, which was (`at`, `id`)."""

    project: int
    customer: int
    n: int
    at: int
    id: str
    body: bytes


class NameRow(NamedTuple):
    """How often a name was staged under a type, and between which times; see `shared.journeys.fit.Met`."""

    project: int
    type: str
    name: str
    writer: int
    n: int
    first_at: int
    last_at: int


class DeadLetterRow(NamedTuple):
    """A log value that could not be decoded, with the reason."""

    project: int
    partition: int
    position: int
    at: int
    reason: str
    value: bytes


class QuarantineRow(NamedTuple):
    """A fault while deriving one customer in one journey version: it stays as it was; touchpoints are still staged."""

    project: int
    customer: int
    version: int
    at: int
    error: str


class Rejection(NamedTuple):
    """An event that was refused: which of its request's (`index`), and why; or a statement that was not followed.

    `size` is that of the event, or of the whole request, as it was sent; `body` is its beginning: none if it is not to
    be kept.
    """

    project: int
    key: int
    at: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls on a row
    code: str
    field: str
    message: str
    size: int = 0
    body: bytes = b""


class JourneyRow(NamedTuple):
    """A journey's definition, one immutable version of it. `version` is unique over all journeys of all projects.

    `asked_at`: when it was last asked to answer, 0: it is held until somebody asks. `retired_at`: since when no batch
    folds it, None: all do. While `paused` is 1 its back-fill waits; it is `filled` when that has ended.
    """

    project: int
    version: int
    name: str
    number: int
    definition: str
    made_at: int
    asked_at: int = 0
    retired_at: int | None = None
    paused: int = 0
    filled: bool = True


class Fill(NamedTuple):
    """How far the back-fill of a version has come through the customers whose home partition is `writer`.

    Of those with numbers below `until` (later ones are born with the version), all below `next` are done; it derived
    `filled` of them. `finished`: when the last of them was, None: not yet.
    """

    project: int
    version: int
    writer: int
    next: int
    until: int
    filled: int
    finished: int | None


class Amendment(NamedTuple):
    """What somebody has ruled about the data: an exclusion of touchpoints, or a retraction of statements.

    `body` is JSON (`shared.store.amendments`); `undone_at` None: it stands. `place` says how far the stager has carried
    it out, or its undoing: from 0 (not begun) to DONE. A mark is UNTOLD until every stager has to read it.
    """

    project: int
    number: int
    kind: int
    body: str
    who: str
    why: str
    made_at: int
    undone_at: int | None
    place: int


class Catalog(NamedTuple):
    """The versions that are folded. `generation` rises with every change; a write under an older one is a Conflict.

    `joined` are the projects that were made to join shared devices (semantics 43), `zones` the time zone of each;
    `amendments` all of every project.
    """

    generation: int
    journeys: tuple[JourneyRow, ...]
    joined: frozenset[int]
    zones: Mapping[int, str]
    amendments: tuple[Amendment, ...] = ()


@dataclass
class Changes:
    """What one transaction of one partition writes. Lists are rows to insert unless said otherwise."""

    claim: Claim
    position: int
    next_id: int
    next_seq: int
    clock: int
    generation: int
    staged: int = 0
    duplicates: int = 0
    identifiers: list[tuple[int, int, str, int, int]] = field(
        default_factory=list
    )  # project, kind, value, stream, customer
    owners: dict[tuple[int, int], int] = field(default_factory=dict)  # update: (project, stream) → customer
    new_customers: list[CustomerRow] = field(default_factory=list)
    customers: list[CustomerRow] = field(default_factory=list)  # update, guarded by revision
    links: list[LinkRow] = field(default_factory=list)
    emails: list[tuple[int, str, int]] = field(default_factory=list)  # project, e-mail, stream; already there: left
    history: list[HistoryRow] = field(default_factory=list)
    ledger: list[LedgerRow] = field(default_factory=list)
    snapshots: list[SnapshotRow] = field(default_factory=list)  # after the two deletions below
    stale_snapshots: list[tuple[int, int, int]] = field(default_factory=list)  # delete: project, customer, from `at` on
    thinned_snapshots: list[tuple[int, int, int]] = field(default_factory=list)  # delete: project, customer, n
    timers: list[tuple[int, int, int | None]] = field(default_factory=list)  # project, customer, due; None: delete
    dead_letters: list[DeadLetterRow] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)  # of a project and code only the newest are kept
    quarantined: list[QuarantineRow] = field(default_factory=list)  # insert or replace
    queued: list[tuple[int, int, int, int]] = field(
        default_factory=list
    )  # project, customer, cause, since; there: left
    amended: list[tuple[int, int, int, int]] = field(
        default_factory=list
    )  # project, number, place before (else Conflict), place; one at most
    marks: dict[tuple[int, str], tuple[bool, int]] = field(default_factory=dict)  # project, body → on, received
    unlinked: list[tuple[int, int, str]] = field(default_factory=list)  # delete from links: project, stream, id
    fills: list[Fill] = field(default_factory=list)  # update: next, filled, finished
    names: list[NameRow] = field(default_factory=list)  # there: added to
    unqueued: list[tuple[int, int]] = field(default_factory=list)  # delete: project, customer


PopulationKey = tuple[int, int, int, int, int, int]  # project, version, stage, level, at bucket, recorded bucket

FlowKey = tuple[int, int, int, int, int, int]  # project, version, source, target, cause, sign


def roll_up(ledger: Iterable[LedgerRow]) -> tuple[dict[PopulationKey, int], dict[FlowKey, int]]:
    """What ledger entries add to the roll-ups: customers per stage by level and bucket, and counts of entries by flow.

    The source −2 (absent) is no population. Both are kept by the transaction that writes the entries.
    """
    # Entries are many and hours few: first count what is alike, then spread each kind over the levels.
    alike: dict[tuple[int, ...], int] = {}
    for row in ledger:
        project, version, _, at, source, target, cause, recorded, sign, _, _ = row
        kind = (project, version, source, target, cause, sign, at - at % HOUR, recorded - recorded % HOUR)
        alike[kind] = alike.get(kind, 0) + 1
    populations: dict[PopulationKey, int] = {}
    flows: dict[FlowKey, int] = {}
    for (project, version, source, target, cause, sign, hour, known_hour), n in alike.items():
        flow = (project, version, source, target, cause, sign)
        flows[flow] = flows.get(flow, 0) + n
        day, known_day = hour - hour % DAY, known_hour - known_hour % DAY
        for stage, delta in ((source, -sign * n), (target, sign * n)):
            if stage == -2:
                continue
            for level, since, known in ((TOTAL, 0, 0), (BY_DAY, day, known_day), (BY_HOUR, hour, known_hour)):
                key = (project, version, stage, level, since, known)
                populations[key] = populations.get(key, 0) + delta
    return {key: delta for key, delta in populations.items() if delta}, flows
