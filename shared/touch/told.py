"""All that the tables say of one touchpoint."""

from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec

from shared.events import Record
from shared.touch.origin import Origin, Origins
from shared.touch.parts import Object, address, at, inner, text, texts
from shared.touch.rows import Row, first
from shared.touch.tables import Tables
from shared.touch.text import fold


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


class Teller:
    """Reads touchpoints with tables. Nothing that stands in a touchpoint makes it raise."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.origins = Origins(tables)

    def tell(self, record: Record, own: Collection[str] = ()) -> Told:
        """All that is said of a record; `own` are hosts of the site beside the tables' and the page's."""
        parts = {"properties": _object(record.properties), "context": _object(record.context)}
        parts["traits"] = _object(record.traits)
        tables, context, properties = self._tables, parts["context"], parts["properties"]
        origin = self.origins.origin(context, properties, own)
        channel = None if origin is None else self.origins.channel(origin)
        name = fold(record.name or "")
        page = inner(context, "page")
        facts: dict[str, Collection[str]] = {
            "type": (record.type,),
            "name": (name,) if name else (),
            "role": tables.roles.get(name, ()),
            "channel": (channel,) if channel else (),
            "path": _path(page, properties),
        }
        if origin is not None:
            for key in ("category", "source", "medium", "campaign", "referrer"):
                facts[key] = texts(getattr(origin, key))

        def look(key: str) -> Collection[str]:
            found = facts.get(key)
            if found is None:
                part, _, path = key.partition(".")
                found = facts[key] = texts(at(parts[part], path)) if path else ()
            return found

        def value(rows: list[Row]) -> str | None:
            return first(rows, look)

        return Told(
            value(tables.kinds),
            value(tables.directions),
            channel,
            value(tables.contents),
            origin,
            self._heard(parts),
        )

    def _heard(self, parts: dict[str, Object]) -> str | None:
        for path in self._tables.heard:
            part, _, rest = path.partition(".")
            if found := text(at(parts[part], rest)):
                return found
        return None


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
