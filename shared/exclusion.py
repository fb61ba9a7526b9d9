"""Exclusions: touchpoints that somebody has ruled out by a filter. Pure; see docs/semantics.md, rules 44 and 57.

A touchpoint that a filter meets is hidden from the instant at which the exclusion was made until it is undone: as known
before, it counted.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

import msgspec

from shared.events import Record
from shared.identity import FOREVER
from shared.touch.parts import address, at, inner, text
from shared.touch.text import fold

Scalar = str | int | float | bool
Meets = Callable[[Record], bool]

#: Members of one list of a filter.
MOST = 1_000

_LARGEST = 1 << 63
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which touchpoints are meant. Everything given must hold; of a list, any member will do.

    `ips` are addresses or ranges (CIDR); `email_domains` and `hosts` are as `example.com`, or `*.example.com` for all
    below it; of `agents` one is contained in the user agent; `keys` are write keys' names and `numbers` theirs; each of
    `properties` (by path) equals the value given; `ids` are user or anonymous ids, `devices` anonymous ids only;
    `since` and `until` are corrected times in microseconds, inclusive.
    """

    ips: tuple[str, ...] = ()
    email_domains: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    properties: dict[str, Scalar] = {}
    ids: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None


def check(filter: Filter) -> None:
    """Raises ValueError, with the remedy, if a filter says nothing or something that cannot be."""
    if filter == Filter():
        raise ValueError("the filter is empty and would hide everything: say what it is to meet")
    for name in filter.__struct_fields__:
        members = getattr(filter, name)
        if isinstance(members, tuple | dict) and len(members) > MOST:
            raise ValueError(f"{name}: {len(members):,} are too many: give at most {MOST:,}")
        if isinstance(members, tuple) and not all(member or member == 0 for member in members):
            raise ValueError(f"{name}: an empty text would meet everything or nothing: leave it out")
    for path, value in filter.properties.items():
        if not path or (isinstance(value, int | float) and not -_LARGEST < value < _LARGEST):
            raise ValueError(f"properties: {path!r} = {value} cannot be: name a path and a value that JSON can hold")
    for range_ in filter.ips:
        try:
            ip_network(range_, strict=False)
        except ValueError:
            raise ValueError(f"ips: {range_!r} is no address or range: write it as 203.0.113.0/24") from None
    for name in ("email_domains", "hosts"):
        for domain in getattr(filter, name):
            if not set(domain.removeprefix("*.")).isdisjoint("*@/: "):
                raise ValueError(f"{name}: {domain!r} is no domain: write it as example.com, or *.example.com")
    if filter.since is not None and filter.until is not None and filter.until < filter.since:
        raise ValueError("until: it is before since")


def compiled(filter: Filter) -> Meets:
    """Whether a record is meant. What stands in a record never makes it raise."""
    tests: list[Meets] = []
    if filter.since is not None or filter.until is not None:
        since, until = -FOREVER if filter.since is None else filter.since, filter.until
        tests.append(lambda record: since <= record.at and (until is None or record.at <= until))
    if filter.keys or filter.numbers:
        numbers = frozenset(filter.numbers)
        tests.append(lambda record: record.key in numbers)
    if filter.ids:
        ids = frozenset(filter.ids)
        tests.append(lambda record: record.user in ids or record.anonymous in ids)
    if filter.devices:
        devices = frozenset(filter.devices)
        tests.append(lambda record: record.anonymous in devices)
    if filter.messages:
        messages = frozenset(filter.messages)
        tests.append(lambda record: record.id in messages)
    tests += [
        *([_ip(filter.ips)] if filter.ips else []),
        *([_agent(filter.agents)] if filter.agents else []),
        *([_host(filter.hosts)] if filter.hosts else []),
        *([_email(filter.email_domains)] if filter.email_domains else []),
        *(_property(path, value) for path, value in filter.properties.items()),
    ]
    return tests[0] if len(tests) == 1 else lambda record: all(test(record) for test in tests)


_decode = msgspec.json.Decoder(dict[str, Any]).decode


def _object(raw: msgspec.Raw) -> Mapping[str, Any]:
    try:
        return _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _ip(ranges: Iterable[str]) -> Meets:
    networks = [ip_network(range_, strict=False) for range_ in ranges]

    def meets(record: Record) -> bool:
        for said in (record.seen.ip if record.seen else None, text(_object(record.context).get("ip"))):
            try:
                found = ip_address(said or "")
            except ValueError:
                continue
            if any(found in network for network in networks):
                return True
        return False

    return meets


def _agent(parts: Iterable[str]) -> Meets:
    wanted = [part.casefold() for part in parts]

    def meets(record: Record) -> bool:
        said = text(_object(record.context).get("userAgent")) or (record.seen and record.seen.agent) or ""
        folded = said.casefold()
        return any(part in folded for part in wanted)

    return meets


def _host(domains: Iterable[str]) -> Meets:
    of = _domains(domains)

    def meets(record: Record) -> bool:
        page = inner(_object(record.context), "page")
        return of(address(text(page.get("url")) or text(_object(record.properties).get("url"))).host)

    return meets


def _email(domains: Iterable[str]) -> Meets:
    of = _domains(domains)

    def meets(record: Record) -> bool:
        carried = (_object(record.traits), inner(_object(record.context), "traits"))
        said = (text(traits.get("email")).casefold() for traits in carried)
        return any("@" in email and of(email.rpartition("@")[2]) for email in said)

    return meets


def _domains(domains: Iterable[str]) -> Callable[[str], bool]:
    folded = [domain.casefold().rstrip(".") for domain in domains]
    exact = frozenset(domain for domain in folded if not domain.startswith("*."))
    below = tuple(domain[1:] for domain in folded if domain.startswith("*."))
    return lambda host: host in exact or (bool(below) and host.endswith(below))


def _property(path: str, wanted: Scalar) -> Meets:
    asked = _comparable(wanted)
    return lambda record: _comparable(at(_object(record.properties), path)) == asked


def _comparable(value: object) -> tuple[str, object] | None:
    """As values compare in rule 7: text after rule 5, a number by value, true and false only with themselves."""
    if isinstance(value, bool):
        return "truth", value
    if isinstance(value, str):
        return "text", fold(value)
    return ("number", value) if isinstance(value, int | float) else None


class Exclusion(NamedTuple):
    """A filter, and from when until when (None: still) what it meets is hidden."""

    meets: Meets
    made_at: int
    undone_at: int | None


class Span(NamedTuple):
    """A touchpoint is hidden as known at `start` or later, and before `end` (FOREVER: to this day)."""

    start: int
    end: int


class Exclusions:
    """All exclusions of a project, with those undone, which still say what was known while they stood.

    `devices` are those of single devices, of which there may be many: (anonymous id, made at, undone at).
    """

    def __init__(self, exclusions: Iterable[Exclusion], devices: Iterable[tuple[str, int, int | None]] = ()) -> None:
        self._exclusions = tuple(exclusions)
        self._devices: dict[str, list[Span]] = {}
        for device, made, undone in devices:
            self._devices.setdefault(device, []).append(Span(made, FOREVER if undone is None else undone))

    def spans(self, record: Record) -> list[Span]:
        """When a record was, or is, hidden; none for most."""
        found = [
            Span(made, FOREVER if undone is None else undone)
            for meets, made, undone in self._exclusions
            if undone != made and meets(record)
        ]
        return found + self._devices.get(record.anonymous, []) if record.anonymous in self._devices else found

    def hidden(self, record: Record, known: int = FOREVER - 1) -> bool:
        """Whether a record is hidden as known then; left out: as known now."""
        return hidden(self.spans(record), known)

    def settled(self, record: Record, known: int) -> bool:
        """Whether nothing has changed for a record after that instant."""
        return not changes(self.spans(record), known)


def hidden(spans: Sequence[Span], known: int = FOREVER - 1) -> bool:
    """Whether what these spans are of is hidden as known then; left out: as known now."""
    return any(start <= known < end for start, end in spans)


def changes(spans: Iterable[Span], after: int) -> set[int]:
    """The instants after that one at which spans begin or end."""
    return {instant for span in spans for instant in span if after < instant < FOREVER}


def say(filter: Filter) -> str:
    """A filter on one line, as its options are called; instants in UTC."""
    said = list[str]()
    for name in filter.__struct_fields__:
        value = getattr(filter, name)
        if name in ("since", "until"):
            said += [] if value is None else [f"{name} {_EPOCH + timedelta(microseconds=value):%FT%T}Z"]
        elif name == "properties":
            said += [f"{path} = {msgspec.json.encode(wanted).decode()}" for path, wanted in value.items()]
        elif value and name != "numbers":
            shown = ", ".join(value[:5]) + (f" and {len(value) - 5} more" if len(value) > 5 else "")
            said.append(f"{name.replace('_', ' ')} {shown}")
    return "; ".join(said)
