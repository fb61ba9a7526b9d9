"""What the tables say of a touchpoint, each thing found out when it is asked for."""

from collections.abc import Callable, Collection, Mapping
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import msgspec

from shared.events import Record
from shared.touch.agent import Bots, Devices
from shared.touch.origin import UNASSIGNED, Origin, Origins
from shared.touch.parts import Object, address, at, inner, text, texts
from shared.touch.rows import Grouped, first, narrow, possible
from shared.touch.tables import Tables
from shared.touch.text import fold

#: So many names of touchpoints are remembered with the rows that may be theirs, none longer than this.
REMEMBERED, LENGTH = 2_000, 200


class Told(NamedTuple):
    """What a touchpoint is; None where the tables do not say.

    `channel` and `origin` tell how somebody came, and are None where the touchpoint says nothing of that; `heard` is
    the answer to “How did you hear of us?”, as it was given.
    """

    kind: str | None
    direction: str | None
    channel: str | None
    content: str | None
    origin: Origin | None
    heard: str | None


class Rows(NamedTuple):
    """The rows that may hold of touchpoints of one type and name, with what is left to be read of them.

    `possible` is what may come of it: of their kind, direction and content.
    """

    kinds: Grouped
    directions: Grouped
    contents: Grouped
    possible: Mapping[str, frozenset[str | None]]


class Telling:
    """One touchpoint being told of: what is not asked for costs nothing."""

    def __init__(
        self,
        teller: "Teller",
        type: str,
        name: str | None,
        parts: Mapping[str, Object],
        own: Collection[str] = (),
    ) -> None:
        self._teller, self._parts, self._own = teller, parts, own
        self._rows = teller.rows(type, name)
        self._looked: dict[str, Collection[str]] = {}

    @cached_property
    def origin(self) -> Origin | None:
        return self._teller.origins.origin(self._parts["context"], self._parts["properties"], self._own)

    @cached_property
    def channel(self) -> str | None:
        return None if self.origin is None else self._teller.origins.channel(self.origin)

    @cached_property
    def kind(self) -> str | None:
        return first(self._rows.kinds, self._look)

    @cached_property
    def direction(self) -> str | None:
        return first(self._rows.directions, self._look)

    @cached_property
    def content(self) -> str | None:
        return first(self._rows.contents, self._look)

    @property
    def heard(self) -> str | None:
        for path in self._teller.tables.heard:
            part, _, rest = path.partition(".")
            if found := text(at(self._parts[part], rest)):
                return found
        return None

    def _look(self, key: str) -> Collection[str]:
        found = self._looked.get(key)
        if found is None:
            found = self._looked[key] = self._found(key)
        return found

    def _found(self, key: str) -> Collection[str]:
        if key == "channel":
            return (self.channel,) if self.channel else ()
        if key == "path":
            return _path(inner(self._parts["context"], "page"), self._parts["properties"])
        if key in ("category", "source", "medium", "campaign", "referrer"):
            return () if self.origin is None else texts(getattr(self.origin, key))
        part, _, path = key.partition(".")
        given = self._parts[part]
        return texts(at(given, path)) if given else ()


class Teller:
    """Reads touchpoints with tables. Nothing that stands in a touchpoint makes it raise."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.origins = Origins(tables)
        self._narrowed: Callable[[str, str], Rows] = lru_cache(REMEMBERED)(self._narrow)

    @cached_property
    def devices(self) -> Devices:
        """Reads user agents."""
        return Devices(Bots(self.tables))

    @cached_property
    def known(self) -> Mapping[str, frozenset[str]]:
        """The values that the tables may give, by what they are of."""
        tables = self.tables
        rows = {
            "channel": tables.channels,
            "kind": tables.kinds,
            "direction": tables.directions,
            "content": tables.contents,
        }
        known = {key: frozenset(row.value for row in rows) for key, rows in rows.items()}
        return {**known, "channel": known["channel"] | {UNASSIGNED}}

    def tell(self, record: Record, own: Collection[str] = ()) -> Told:
        """All that is said of a record; `own` are hosts of the site beside the tables' and the page's."""
        raw = {"properties": record.properties, "context": record.context, "traits": record.traits}
        told = Telling(self, record.type, record.name, {part: _object(given) for part, given in raw.items()}, own)
        return Told(told.kind, told.direction, told.channel, told.content, told.origin, told.heard)

    def rows(self, type: str, name: str | None) -> Rows:
        """The rows that may hold of touchpoints of a type and a name as it was sent."""
        name = name or ""
        return self._narrowed(type, name) if len(name) <= LENGTH else self._narrow(type, name)

    def _narrow(self, type: str, name: str) -> Rows:
        name = fold(name)
        kind = {"type": (type,), "name": (name,) if name else (), "role": self.tables.roles.get(name, ())}
        tables = self.tables
        kinds, directions, contents = (
            narrow(rows, kind) for rows in (tables.kinds, tables.directions, tables.contents)
        )
        told = {"kind": possible(kinds), "direction": possible(directions), "content": possible(contents)}
        return Rows(kinds, directions, contents, told)


_decode = msgspec.json.Decoder(dict[str, Any]).decode


def _object(raw: msgspec.Raw) -> Object:
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}  # ingest takes no such part, but others may write to the log


def _path(page: Object, properties: Object) -> tuple[str, ...]:
    given = text(page.get("path")) or text(page.get("url")) or text(properties.get("url"))
    path = address(given or text(properties.get("$current_url"))).path
    return (path,) if path else ()
