"""Statements: what `identify` and `alias` say about whose touchpoints are whose, and what has to be rewound for it.

The statement's record is staged afterwards, by the caller; nothing here counts it. See docs/semantics.md, section 8.
"""

from collections.abc import Sequence
from typing import NamedTuple

from services.stager.people import Key, Person, Stored, hash_of
from services.stager.rewind import ordered, record_at, reverse, rewind
from services.stager.work import Work
from shared.events import Record
from shared.identity import ALWAYS, FOREVER, Link, Slice
from shared.journeys.ledger import Fact
from shared.store.rows import ANONYMOUS, BEHIND, CURRENT, MERGE, MERGED, USER, Rejection


class Statement(NamedTuple):
    """What a record says of identifiers: the device belongs to the user; an alias also joins the previous user id.

    `barred` is the previous user id of an alias that joins nobody, because it came with a browser key (semantics 42).
    """

    user: Key
    device: Key
    previous: Key | None = None
    barred: Key | None = None


def statement(record: Record) -> Statement | None:
    """The statement that a record makes, if it makes one (semantics 37)."""
    project, user = record.project, record.user
    if user is None:
        return None
    if record.type == "identify" and record.anonymous is not None:
        return Statement((project, USER, user), (project, ANONYMOUS, record.anonymous))
    if record.type == "alias" and record.previous is not None:
        device = (project, ANONYMOUS, record.previous)
        previous = (project, USER, record.previous) if record.previous != user else None
        return Statement((project, USER, user), device, *((None, previous) if record.guarded else (previous, None)))
    return None


async def foresee(work: Work, statements: Sequence[Statement]) -> None:
    """Reads in one question what `relink` will ask of the statements one by one: how large their customers are."""
    customers = set[tuple[int, int]]()
    for said in statements:
        customers |= {(said.user[0], customer) for customer in (await _brought_together(work, said))[0]}
    await work.directory.load_streams(sorted(customers))


async def relink(work: Work, record: Record, said: Statement) -> None:
    """Carries out the statement of a record, or lists it as refused."""
    if said.barred is not None and await _another(work, said.barred, said.user):
        message = f"{record.previous} is a user already: an alias sent with a browser key does not join users."
        _refuse(work, record, "alias_refused", "previousId", message)
    customers, others = await _brought_together(work, said)
    size = others + sum([len(await work.directory.streams(record.project, customer)) for customer in customers])
    if size > work.plans.merge_limit:
        message = f"The {record.type} would make a customer of {size} identifiers, more than {work.plans.merge_limit}."
        _refuse(work, record, "merge_refused", "userId", message)
        return
    await _link(work, record, said.device, said.user)
    if said.previous is not None:
        await _join(work, record, said.previous, said.user)


async def _brought_together(work: Work, said: Statement) -> tuple[set[int], int]:
    """The customers that a statement makes one, and how many identifiers it adds to them; none if none grows."""
    project = said.user[0]
    users = [await work.directory.identity(key) for key in (said.user, said.previous) if key is not None]
    device = await work.directory.identity(said.device)
    customers, others = {user.customer for user in users if user is not None}, users.count(None)
    if device is None or not await work.directory.links(project, device.stream):
        others += 1  # a device without links is all that its customer has
    elif project in work.plans.joined:
        customers.add(device.customer)
    return (customers, others) if customers and len(customers) + others > 1 else (set(), 0)


async def _another(work: Work, previous_key: Key, user_key: Key) -> bool:
    """Whether the previous id is a user's, and not the same customer's."""
    previous, user = await work.directory.identity(previous_key), await work.directory.identity(user_key)
    return previous is not None and (user is None or user.customer != previous.customer)


def _refuse(work: Work, record: Record, code: str, field: str, message: str) -> None:
    said = f"{message} It was counted and not followed (message {record.id})."
    work.changes.rejections.append(Rejection(record.project, record.key, record.received, 0, code, field, said))


async def _link(work: Work, record: Record, device_key: Key, user_key: Key) -> None:
    """The device belongs to the user from the record's time on."""
    project = record.project
    device, user = await work.directory.identity(device_key), await work.directory.identity(user_key)
    if device is None:
        user = user or work.create(user_key)
        device = work.create(device_key, user.customer)
        await work.directory.add_link(project, device.stream, Link(record.at, record.id, user.stream))
        return
    linked = bool(await work.directory.links(project, device.stream))
    if user is None:
        # Somebody signs in for the first time: the customer of the device gains a name, and nothing has to move.
        user = work.create(user_key, device.customer if not linked or project in work.plans.joined else None)
    elif linked and project in work.plans.joined and device.customer != user.customer:
        await _merge(work, record, device.customer, user.customer)
    before = (
        await work.directory.shared(project, device.stream) if linked else [Slice(ALWAYS, FOREVER, device.customer)]
    )
    await work.directory.add_link(project, device.stream, Link(record.at, record.id, user.stream))
    after = await work.directory.shared(project, device.stream)
    if before == after:
        return
    sole = after[0].owner if len(after) == 1 else 0
    await work.directory.reassign(project, device.stream, device_key, device.customer, sole)
    for start, end, loser, gainer in _moved(before, after):
        await _move(work, record, [(device.stream, start, end)], loser, gainer, whole=not linked)


def _moved(before: list[Slice], after: list[Slice]) -> list[tuple[int, int, int, int]]:
    """The stretches of time (from, to) at which a device's owner changes, with the owner before and after."""
    moved = list[tuple[int, int, int, int]]()
    for old in before:
        for new in after:
            start, end = max(old.start, new.start), min(old.end, new.end)
            if start <= end and old.owner != new.owner:
                moved.append((start, end, old.owner, new.owner))
    return moved


async def _join(work: Work, record: Record, previous_key: Key, user_key: Key) -> None:
    """Both user ids are one person, at all times."""
    previous, user = await work.directory.identity(previous_key), await work.directory.identity(user_key)
    if previous is None:
        work.create(previous_key, (user or work.create(user_key)).customer)
    elif user is None:
        work.create(user_key, previous.customer)
    elif previous.customer != user.customer:
        await _merge(work, record, previous.customer, user.customer)


async def _merge(work: Work, record: Record, losing: int, gaining: int) -> None:
    """One customer becomes another, with all that is its own."""
    project = record.project
    loser = await work.person(project, losing)
    spans = await work.directory.spans(loser)
    for stream, (kind, value) in list((await work.directory.streams(project, losing)).items()):
        await work.directory.reassign(project, stream, (project, kind, value), losing, gaining)
    work.directory.forget_shared()
    await _move(work, record, spans, losing, gaining, whole=True)


async def _move(
    work: Work, record: Record, spans: list[tuple[int, int, int]], losing: int, gaining: int, whole: bool
) -> None:
    """Gives the touchpoints in `spans` to another customer; rewinds both. With `whole` nothing is left of the loser."""
    loser, gainer = await work.person(record.project, losing), await work.person(record.project, gaining)
    loser.dirty = gainer.dirty = True
    recorded = max(record.received, loser.recorded, gainer.recorded)
    record_at(work, loser, recorded)
    record_at(work, gainer, recorded)
    queued = BEHIND in (loser.status, gainer.status) or (whole and loser.count > work.rewind_limit)
    moved = list[Stored]()
    if not queued or not whole:
        moved = ordered([*await work.stored(record.project, spans, ALWAYS), *_within(loser.touchpoints(), spans)])
    if whole:
        gainer.replace_ids(gainer.all_ids() | loser.all_ids())
        await _dissolve(work, loser, gaining, recorded)
    else:
        gone = {hash_of(one.record.id) for one in moved}
        loser.replace_ids(loser.all_ids() - gone)
        gainer.replace_ids(gainer.all_ids() | gone)
        loser.past, loser.fresh = [one for one in loser.touchpoints() if one not in moved], []
    if queued:
        for person in (gainer, *(() if whole else (loser,))):
            work.queue(person, MERGE)
        return
    if not moved:
        return
    gainer.past += moved
    if not gainer.tracks and gainer.base.n == 0:
        gainer.tracks = work.start_tracks(record.project)
    for person in (gainer, *(() if whole else (loser,))):
        if person.status == CURRENT:
            await rewind(work, person, moved[0].record.at, MERGE)


async def _dissolve(work: Work, person: Person, into: int, recorded: int) -> None:
    """The customer turned out to be another one: what was counted for it is taken back."""
    held, folded = dict[int, list[tuple[Fact, int]]](), work.plans.versions(person.project)
    for row in (await work.session.ledger([(person.project, person.customer)]))[person.customer]:
        if row.version not in folded:
            continue  # the ledger of a retired version stays as it is
        held.setdefault(row.version, []).append(((row.at, row.source, row.target), row.sign))
    reverse(person, held, recorded, MERGE)
    work.changes.unqueued.append((person.project, person.customer))
    person.status, person.into, person.tracks, person.packed = MERGED, into, {}, b""
    person.queue = None
    person.replace_ids(set())
    person.stale_from = ALWAYS
    person.snapshots.clear()


def _within(touchpoints: list[Stored], spans: list[tuple[int, int, int]]) -> list[Stored]:
    return [
        one
        for one in touchpoints
        if any(stream == one.stream and start <= one.record.at <= end for stream, start, end in spans)
    ]
