"""The identifiers as a unit of work sees them: the store's, overlaid with what the unit itself has changed."""

from collections.abc import Iterable

from services.stager.people import Cache, Key, Person
from shared.identity import ALWAYS, FOREVER, Link, Slice, owner_at, slices
from shared.store.port import USER, Changes, Identity, LinkRow, Session


class Directory:
    """Which identifiers there are, whose they are, and which devices were linked to whom when."""

    def __init__(self, session: Session, cache: Cache, changes: Changes) -> None:
        self._session, self._cache, self._changes = session, cache, changes
        self._created: dict[int, list[tuple[int, str, int]]] = {}
        self._streams: dict[int, dict[int, tuple[int, str]]] = {}
        self._links: dict[int, list[Link]] = {}
        self._owners: dict[int, int] = {}
        self._shared: dict[int, list[Slice]] = {}

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
                missing.append(key)
            else:
                found[key] = identity
        if missing:
            read = await self._session.identities(missing)
            self._cache.identities.update(read)
            found |= read
        self._owners |= {identity.stream: identity.customer for identity in found.values()}
        return found

    async def streams(self, project: int, customer: int) -> dict[int, tuple[int, str]]:
        """stream → (kind, value) of the identifiers that are the customer's alone."""
        if customer not in self._streams:
            known = {stream: (kind, value) for kind, value, stream in await self._session.streams(project, customer)}
            known |= {stream: (kind, value) for kind, value, stream in self._created.get(customer, ())}
            self._streams[customer] = known
        return self._streams[customer]

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

    def forget_shared(self) -> None:
        """Users have changed hands: whose a shared device was has to be worked out anew."""
        self._shared.clear()

    async def spans(self, person: Person) -> list[tuple[int, int, int]]:
        """(stream, from, to) of everything that is the customer's."""
        streams = await self.streams(person.project, person.customer)
        spans = [(stream, ALWAYS, FOREVER) for stream in streams]
        users = [stream for stream, (kind, _) in streams.items() if kind == USER]
        if users:
            devices = {row.stream for row in await self._session.links_to(person.project, users)}
            devices |= {row.stream for row in self._changes.links if row.owner in users}
            for device in sorted(devices - streams.keys()):
                spans += [
                    (device, part.start, part.end)
                    for part in await self.shared(person.project, device)
                    if part.owner == person.customer
                ]
        return spans
