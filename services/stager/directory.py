"""The identifiers as a unit of work sees them: the store's, overlaid with what the unit itself has changed."""

from collections.abc import Iterable, Sequence

from services.stager.people import Cache, Key, Person
from shared.identity import ALWAYS, FOREVER, Link, Slice, owner_at, slices
from shared.store.port import Session
from shared.store.rows import USER, Changes, Identity, LinkRow


class Directory:
    """Which identifiers there are, whose they are, and which devices were linked to whom when."""

    def __init__(self, session: Session, cache: Cache, changes: Changes) -> None:
        self._session, self._cache, self._changes = session, cache, changes
        self._absent: set[Key] = set()
        self._created: dict[int, list[tuple[int, str, int]]] = {}
        self._streams: dict[int, dict[int, tuple[int, str]]] = {}
        self._links: dict[int, list[Link]] = {}
        self._owners: dict[int, int] = {}
        self._shared: dict[int, list[Slice]] = {}
        self.relied: dict[int, dict[int, int]] = {}

    def new_id(self) -> int:
        """A number for a stream or a customer, of this partition's own."""
        self._changes.next_id += 1
        return self._changes.next_id - 1

    def create(self, key: Key, customer: int | None = None) -> Identity:
        """Makes an identifier: of the customer given, else of a new one that bears the stream's number."""
        project, kind, value = key
        stream = self.new_id()
        customer = stream if customer is None else customer
        found = self._cache.identities[key] = Identity(stream, customer)
        self._changes.identifiers.append((project, kind, value, stream, customer))
        self._created.setdefault(customer, []).append((kind, value, stream))
        self._owners[stream] = customer
        self._links[stream] = []
        if customer in self._streams:
            self._streams[customer][stream] = (kind, value)
        return found

    async def identity(self, key: Key) -> Identity | None:
        """The identifier as it is now known, None if there is none."""
        return (await self.load([key])).get(key)

    async def load(self, keys: Iterable[Key]) -> dict[Key, Identity]:
        """Those identifiers that exist, as they are now known."""
        found, missing = dict[Key, Identity](), list[Key]()
        for key in keys:
            identity = self._cache.identity(key)
            if identity is None:
                if key not in self._absent:
                    missing.append(key)
            else:
                found[key] = identity
        if missing:
            read = await self._session.identities(missing)
            self._cache.identities.update(read)
            self._absent |= set(missing) - read.keys()
            found |= read
        return found

    def know(self, identities: Iterable[Identity]) -> None:
        """Notes whose identifiers these are, so that links to them need not be looked up."""
        self._owners |= {identity.stream: identity.customer for identity in identities}

    def rely(self, on: Iterable[tuple[int, int, int]]) -> None:
        """Notes (project, stream, customer) of identifiers that were read before their customers' rows were."""
        for project, stream, customer in on:
            self.relied.setdefault(project, {}).setdefault(stream, customer)

    async def streams(self, project: int, customer: int) -> dict[int, tuple[int, str]]:
        """stream → (kind, value) of the identifiers that are the customer's alone."""
        await self.load_streams([(project, customer)])
        return self._streams[customer]

    async def load_streams(self, ids: Iterable[tuple[int, int]]) -> None:
        """Reads the identifiers of many (project, customer) at once."""
        missing = [one for one in ids if one[1] not in self._streams]
        if missing:
            for customer, rows in (await self._session.streams(missing)).items():
                known = [*rows, *self._created.get(customer, ())]
                self._streams[customer] = {stream: (kind, value) for kind, value, stream in known}

    async def reassign(self, project: int, stream: int, key: Key, before: int, customer: int) -> None:
        """Gives an identifier to another customer (0: to several, as its links say)."""
        moved = (await self.streams(project, before)).pop(stream, None) if before else None
        if customer:
            (await self.streams(project, customer))[stream] = moved or (key[1], key[2])
        self._cache.identities[key] = Identity(stream, customer)
        self._owners[stream] = customer
        self._shared.pop(stream, None)
        for i, (project_, kind, value, created, _) in enumerate(self._changes.identifiers):
            if created == stream:
                self._changes.identifiers[i] = (project_, kind, value, stream, customer)
                break
        else:
            self._changes.owners[project, stream] = customer

    async def load_links(self, devices: Iterable[tuple[int, int]]) -> None:
        """Reads the links of many (project, device) at once."""
        missing: dict[int, list[int]] = {}
        for project, device in devices:
            if device not in self._links:
                self._links[device] = []
                missing.setdefault(project, []).append(device)
        for project, streams in missing.items():
            for row in await self._session.links_of(project, sorted(streams)):
                self._links[row.stream].append(Link(row.at, row.id, row.owner))

    async def links(self, project: int, device: int) -> list[Link]:
        """All links of a device, in no order."""
        await self.load_links([(project, device)])
        return self._links[device]

    async def add_link(self, project: int, device: int, link: Link) -> None:
        """Adds a statement."""
        (await self.links(project, device)).append(link)
        self._changes.links.append(LinkRow(project, device, link.at, link.id, link.owner))
        self._shared.pop(device, None)

    async def unlink(self, project: int, device: int, id: str) -> bool:
        """Takes a statement back; False if it does not link the device."""
        links = await self.links(project, device)
        kept = [link for link in links if link.id != id]
        if len(kept) == len(links):
            return False
        self._links[device] = kept
        self._changes.unlinked.append((project, device, id))
        self._shared.pop(device, None)
        return True

    async def customers_of(self, project: int, links: Iterable[Link]) -> list[Slice]:
        """The customers that a device belongs to over time, by its links; neighbours are joined."""
        parts = slices(links)
        missing = {part.owner for part in parts} - self._owners.keys()
        if missing:
            self._owners |= await self._session.owners(project, sorted(missing))
        return slices(Link(part.start, "", self._owners[part.owner]) for part in parts)

    async def shared(self, project: int, device: int) -> list[Slice]:
        """The same of a device as it is now."""
        if device not in self._shared:
            self._shared[device] = await self.customers_of(project, await self.links(project, device))
        return self._shared[device]

    async def owner(self, key: Key, identity: Identity, at: int) -> int:
        """The customer that a touchpoint sent under this identifier at `at` belongs to."""
        if identity.customer:
            return identity.customer
        return owner_at(await self.shared(key[0], identity.stream), at)

    async def unchanged(self, project: int, devices: Sequence[int]) -> bool:
        """Whether the store still has of shared devices the links that it had when they were read."""
        made = {(row.stream, row.at, row.id) for row in self._changes.links}
        gone = {(device, id) for _, device, id in self._changes.unlinked}
        known = {(device, link.at, link.id) for device in devices for link in self._links.get(device, ())} - made
        stored = {(row.stream, row.at, row.id) for row in await self._session.links_of(project, devices)}
        return known == {row for row in stored if (row[0], row[2]) not in gone}

    def forget_shared(self) -> None:
        """Users have changed hands: whose a shared device was has to be worked out anew."""
        self._shared.clear()

    async def spans(self, person: Person) -> list[tuple[int, int, int]]:
        """(stream, from, to) of everything that is the customer's."""
        return (await self.spans_of([person]))[person.customer]

    async def spans_of(self, people: Sequence[Person]) -> dict[int, list[tuple[int, int, int]]]:
        """The spans of many customers at once."""
        await self.load_streams([(person.project, person.customer) for person in people])
        users: dict[int, list[int]] = {}
        for person in people:
            streams = self._streams[person.customer]
            users.setdefault(person.project, []).extend(s for s, (kind, _) in streams.items() if kind == USER)
        linked = {(row.stream, row.owner) for row in self._changes.links}
        for project, owners in users.items():
            linked |= {(row.stream, row.owner) for row in await self._session.links_to(project, owners)}
        devices: dict[int, set[int]] = {}
        for device, user in linked:
            devices.setdefault(user, set()).add(device)
        return {person.customer: await self._spans(person, devices) for person in people}

    async def _spans(self, person: Person, devices: dict[int, set[int]]) -> list[tuple[int, int, int]]:
        streams = self._streams[person.customer]
        spans = [(stream, ALWAYS, FOREVER) for stream in streams]
        shared = set[int]().union(*(devices.get(user, ()) for user in streams)) - streams.keys()
        for device in sorted(shared):
            spans += [
                (device, part.start, part.end)
                for part in await self.shared(person.project, device)
                if part.owner == person.customer
            ]
        return spans
