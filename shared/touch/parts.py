"""The free-form parts of a touchpoint: anything may stand in them, and reading them raises nothing."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from shared.touch.text import fold

Object = Mapping[str, Any]

_NOTHING: Object = MappingProxyType({})

#: The longest text that is looked at, in characters; and how many parameters of an address.
LONGEST, PARAMETERS = 2000, 100
#: How many URLs are remembered: a site's pages are looked at again and again.
REMEMBERED = 1_000


class Address(NamedTuple):
    """What is read from a URL: its host in lower case without port, its path, its parameters by name in lower case."""

    host: str = ""
    path: str = ""
    query: Mapping[str, str] = {}


def text(value: object) -> str:
    """A text without the space around it, cut at LONGEST; numbers as they are written; "" for everything else."""
    if value is None:  # mostly there is nothing
        return ""
    if isinstance(value, str):
        return value[:LONGEST].strip()
    return f"{value:.15g}" if isinstance(value, int | float) and not isinstance(value, bool) else ""


def inner(part: Object, *keys: str) -> Object:
    """The object that stands at the first of the keys at which one does; else an empty one."""
    for key in keys if part else ():
        # JSON's objects are dicts: to ask whether one is a mapping takes many times as long.
        if (found := part.get(key)) is not None and (type(found) is dict or isinstance(found, Mapping)):
            return found
    return _NOTHING


def at(part: Object, path: str) -> object:
    """What stands at a path of keys between dots; a key may itself have dots. None if there is nothing."""
    if not part:
        return None
    if path in part:
        return part[path]
    key, dot, rest = path.partition(".")
    found = part.get(key)
    return at(found, rest) if dot and isinstance(found, Mapping) else None


def texts(value: object) -> tuple[str, ...]:
    """The folded texts of a value: its own, or those in a list; for an object that it is there (its keys)."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (folded,) if (folded := fold(text(value))) else ()
    if isinstance(value, list):
        return tuple(folded for one in value[:PARAMETERS] if (folded := fold(text(one))))
    if isinstance(value, Mapping):
        return tuple(str(key) for key in list(value)[:PARAMETERS])
    if isinstance(value, bool):
        return (str(value).lower(),)
    folded = fold(text(value))
    return (folded,) if folded else ()


@lru_cache(REMEMBERED)
def address(url: str) -> Address:
    """The parts of a URL, an app's (android-app://…) or the end of one (a path, a query); empty if it is none."""
    try:
        split = urlsplit(url)
        host = (split.hostname or "").rstrip(".")
        given = parse_qsl(split.query, max_num_fields=PARAMETERS)
    except ValueError:
        return Address()
    query: dict[str, str] = {}
    for name, value in given:
        query.setdefault(name.lower(), value.strip())
    return Address(host.lower(), unquote(split.path).lower(), query)
