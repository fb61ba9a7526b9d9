"""The names that a batch brings, counted into rows of bounded number."""

from collections.abc import Mapping

from services.stager.people import Cache
from shared.events import TYPES
from shared.store.port import Session
from shared.store.rows import NameRow
from shared.store.tables import storable

#: Names of a project that are counted one by one, characters of the longest; all others are counted together.
MOST, LONGEST = 10_000, 200
#: After so many new ones the store is asked which there are: other stagers add some, too.
NEW = 1_000

Named = Mapping[tuple[int, str, str | None], list[int]]
"""(project, type, name) → the times of the touchpoints."""

_OTHERS = ("", "")


async def name_rows(session: Session, cache: Cache, named: Named, writer: int) -> list[NameRow]:
    """The rows that count a batch's names, in the order of their keys."""
    counted: dict[tuple[int, str, str], list[int]] = {}
    for (project, type, name), times in named.items():
        if type in TYPES:
            key = await _key(session, cache, project, type, storable(name or ""))
            counted.setdefault((project, *key), []).extend(times)
    return [NameRow(*key, writer, len(at), min(at), max(at)) for key, at in sorted(counted.items())]


async def _key(session: Session, cache: Cache, project: int, type: str, name: str) -> tuple[str, str]:
    """The name, if it is one of those that are counted one by one."""
    known, new = cache.names.get(project, (set[tuple[str, str]](), NEW))
    if (type, name) in known:
        return type, name
    if len(name) > LONGEST:
        return _OTHERS
    if new >= NEW and len(known) < MOST:
        known, new = await session.names(project), 0
    if len(known) < MOST or (type, name) in known:
        known.add((type, name))
        cache.names[project] = known, new + 1
        return type, name
    cache.names[project] = known, new
    return _OTHERS
