"""Retractions: statements of who is who are taken back, and with them what they had made one is taken apart.

Whose each identifier is, is worked out anew from the links and aliases that are left (semantics 58); everybody whom it
concerns is left to the deriver, which knows of it from the retraction's instant on.
"""

from collections.abc import Iterable, Sequence

from services.stager.people import Key, Person, hash_of
from services.stager.relink import relink, statement
from services.stager.rewind import ordered, record_at
from services.stager.work import Work
from shared.events import Record, unpack
from shared.identity import ALWAYS, FOREVER
from shared.statement import Said, said
from shared.store.amendments import retraction_of
from shared.store.rows import ANONYMOUS, DONE, MERGE, MERGED, USER, Amendment


async def carry_out(work: Work, row: Amendment) -> None:
    """Carries a retraction out, or its undoing."""
    statements = retraction_of(row).statements
    if row.undone_at is None:
        await _take_back(work, row.project, statements, row.made_at)
    else:
        retracted = {(one.user, one.id) for one in work.plans.retracted(row.project)}
        for one in statements:
            if (one.user, one.id) not in retracted:
                await _say_again(work, row.project, one, row.undone_at)
    work.changes.amended.append((row.project, row.number, row.place, DONE))


async def _say_again(work: Work, project: int, one: Said, at: int) -> None:
    """Follows a statement as if it were made now."""
    device = await work.directory.identity((project, ANONYMOUS, one.other))
    if device is not None:  # a retraction undone before it was carried out
        await work.directory.unlink(project, device.stream, one.id)
    anonymous, previous = (one.other, None) if one.type == "identify" else (None, one.other)
    record = Record(project, one.id, one.type, one.at, at, one.user, anonymous, previous, guarded=not one.joins)
    if (again := statement(record)) is not None:
        await relink(work, record, again)


async def _take_back(work: Work, project: int, statements: Sequence[Said], at: int) -> None:
    concerned, devices = set[int](), dict[int, Key]()
    for one in statements:
        user = await work.directory.identity((project, USER, one.user))
        key = (project, ANONYMOUS, one.other)
        device = await work.directory.identity(key)
        if user is not None:
            concerned.add(user.customer)
        if device is not None:
            concerned |= {part.owner for part in await work.directory.shared(project, device.stream)}
            if await work.directory.unlink(project, device.stream, one.id):
                devices[device.stream] = key
    await work.load_people((project, customer) for customer in sorted(concerned))
    for customer in sorted(concerned):
        record_at(work, work.people[customer], at)
    rest = _Rest(work, project)
    for customer in sorted(concerned):
        await rest.split(customer)
    for stream, key in devices.items():
        concerned |= await rest.own(stream, key)
    await rest.derive_anew(concerned | rest.made, at)


class _Rest:
    """Who is who by the statements that are left."""

    def __init__(self, work: Work, project: int) -> None:
        self._work, self._project = work, project
        self.made = set[int]()

    async def split(self, customer: int) -> None:
        """Makes a customer as many as its users now are."""
        streams = dict(await self._work.directory.streams(self._project, customer))
        users = {value: stream for stream, (kind, value) in streams.items() if kind == USER}
        groups = await self._groups(users)
        if len(groups) < 2:
            return
        linked = await self._work.session.links_to(self._project, sorted(users.values()))
        devices = sorted({row.stream for row in linked} | (streams.keys() - users.values()))
        await self._work.load_people((self._project, one) for one in [*streams, *devices] if one != customer)
        keeping = await self._keeping(customer, groups)
        for group in groups:
            number = customer if group is keeping else self._number(group)
            for stream in sorted(group):
                kind, value = streams[stream]
                await self._give(stream, (self._project, kind, value), customer, number)
        self._work.directory.forget_shared()
        for device in devices:
            if device in streams:
                await self.own(device, (self._project, *streams[device]))
            elif parts := await self._work.directory.shared(self._project, device):
                self._redirect(device, parts[0].owner)

    async def own(self, device: int, key: Key) -> set[int]:
        """Gives a device to whom it belongs by the links that are left; returns all of these customers."""
        parts = await self._work.directory.shared(self._project, device)
        identity = await self._work.directory.identity(key)
        before = identity.customer if identity is not None else 0
        if not parts and before in self.made:
            return {before}
        if parts:
            await self._work.load_people((self._project, part.owner) for part in parts)
            sole = parts[0].owner if len(parts) == 1 else 0
            await self._give(device, key, before, sole, parts[0].owner)
            return {part.owner for part in parts}
        number = self._number({device})
        await self._give(device, key, before, number)
        return {number}

    async def _give(self, stream: int, key: Key, before: int, customer: int, redirect: int = 0) -> None:
        if before != customer:
            await self._work.directory.reassign(self._project, stream, key, before, customer)
        self._redirect(stream, customer or redirect)

    def _redirect(self, stream: int, customer: int) -> None:
        """A customer that bore this stream's number and was merged has become whose the stream is now."""
        gone = self._work.people.get(stream)
        if gone is not None and gone.status == MERGED and gone.into != customer and stream != customer:
            gone.into, gone.dirty = customer, True

    async def _groups(self, users: dict[str, int]) -> list[set[int]]:
        """The users' streams, those of one person together."""
        group = {stream: {stream} for stream in users.values()}

        def join(streams: Iterable[int]) -> None:
            together = set[int]().union(*(group[stream] for stream in streams))
            group.update(dict.fromkeys(together, together))

        retracted = {(one.user, one.id) for one in self._work.plans.retracted(self._project)}
        for one in await self._aliases(users.values()):
            if one.joins and one.other in users and (one.user, one.id) not in retracted:
                join((users[one.user], users[one.other]))
        if self._project in self._work.plans.joined:
            rows = await self._work.session.links_to(self._project, sorted(users.values()))
            for device in {row.stream for row in rows}:
                join({link.owner for link in await self._work.directory.links(self._project, device)} & group.keys())
        return sorted({min(one): one for one in group.values()}.values(), key=min)

    async def _aliases(self, streams: Iterable[int]) -> list[Said]:
        spans = [(stream, ALWAYS, FOREVER) for stream in sorted(streams)]
        bodies = [body for _, body in await self._work.session.history(self._project, spans) if b'"alias"' in body]
        records = (record for body in bodies for _, record in unpack(body) if record.type == "alias")
        return [one for record in records if (one := said(record)) is not None]

    async def _keeping(self, customer: int, groups: Sequence[set[int]]) -> set[int]:
        """Who goes on under the customer's number: whose identifier bears it, or did last."""
        links = await self._work.directory.links(self._project, customer)
        first = min(links, key=lambda link: (link.at, link.id.encode())).owner if links else customer
        return next((group for group in groups if customer in group or first in group), groups[0])

    def _number(self, streams: set[int]) -> int:
        """A customer for these streams: one that bore the number of one of them before it was merged, or a new one."""
        work = self._work
        before = [one for one in sorted(streams) if one in work.people and work.people[one].status == MERGED]
        if before:
            person = work.people[before[0]]
            person.into = 0
        else:
            number = work.directory.new_id()
            person = work.people[number] = work.cache.people[number] = Person.born(self._project, number)
        self.made.add(person.customer)
        return person.customer

    async def derive_anew(self, customers: set[int], at: int) -> None:
        """Leaves customers to the deriver, with the touchpoints that are theirs now."""
        work = self._work
        people = [work.people[customer] for customer in sorted(customers)]
        histories = await work.histories(people)
        for person in people:
            history = ordered(histories[person.customer])
            person.replace_ids({hash_of(one.record.id) for one in history})
            last = history[-1].record if history else None
            person.at, person.id = (last.at, last.id) if last is not None else (ALWAYS, "")
            person.recorded = max([person.recorded, at, *(one.recorded for one in history)])
            work.queue(person, MERGE)
