"""What only the door can tell of an event, and what it keeps from going further: marks of bots, addresses, privacy.

From a browser's key the request says who sent it; a server's key speaks for others, so only the event's context does.
The usual event costs a few look-ups: what a request tells is worked out once, and addresses and agents are remembered.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from services.ingest.body import Scope
from services.ingest.geo import Finder, Place, finder
from services.ingest.never import never_ids
from services.ingest.privacy import Privacy
from shared.events import Seen
from shared.settings import BadSettings, Settings
from shared.touch.agent import LONGEST, Bots, locale
from shared.touch.reading import TablesError
from shared.touch.tables import Tables, load

Raw = msgspec.Raw

#: How many addresses and visitors are remembered.
REMEMBERED = 10_000
#: The networks that an address is cut to, by version of the protocol.
CUT = {4: 24, 6: 48}
NOWHERE = Place()
#: Looked for first, since one byte is found much faster than five.
DOLLAR = ord("$")


class Visitor(NamedTuple):
    """What a request tells of who sent it.

    `seen` goes on its events' records, without what an event's context says itself: by 1 for an agent, 2 for a locale
    and 4 for an address. `strict` says how addresses in its events are kept, if the sender asked for it.
    """

    excluded: bool = False
    seen: tuple[Seen | None, ...] = (None,) * 8
    strict: str | None = None


class Cut(NamedTuple):
    """An address as it may be kept, None: not at all; and how JSON writes it, before and after."""

    kept: str | None
    before: bytes
    after: bytes


NOBODY = Visitor()
BOT, NOTHING = Seen(bot=True), Seen()


def open_door(settings: Settings, count: Callable[[], object] = int) -> "Door":
    """The door that the settings ask for; `count` is called for each event that is excluded.

    Raises BadSettings for faults in a site's tables or GeoIP file.
    """
    return Door(settings, open_tables(settings), finder(Path(settings.geoip)) if settings.geoip else None, count)


def open_tables(settings: Settings, roles: Mapping[str, Iterable[str]] | None = None) -> Tables:
    """A site's tables before ours; `roles` are the names bound to each role. Raises BadSettings for faults in them."""
    try:
        return load(Path(settings.tables) if settings.tables else None, roles)
    except TablesError as error:
        raise BadSettings([f"MILEPOST_TABLES: {fault}" for fault in error.faults]) from None


class Door:
    """The rules of one process for every event."""

    def __init__(self, settings: Settings, tables: Tables, find: Finder | None, count: Callable[[], object]) -> None:
        self._bots, self._find, self._count = Bots(tables), find, count
        self._keep, self._exclude = settings.ip, settings.bots == "exclude"
        self._visitor: Callable[..., Visitor] = lru_cache(REMEMBERED)(self._seen)
        self._cut: Callable[[str], Cut] = lru_cache(REMEMBERED)(partial(cut, keep=settings.ip))
        self.privacy, self.never = Privacy.of(settings), never_ids(settings.never_ids)

    def visitor(self, kind: str, scope: Scope) -> Visitor:
        """Who sends this request with a key of this kind."""
        if kind == "server":
            return NOBODY
        agent = language = policy = b""
        for name, value in scope["headers"]:
            if name == b"user-agent":
                agent = value
            elif name == b"accept-language":
                language = value
            elif name == b"x-ip-policy":
                policy = value
        client = scope.get("client")
        return self._visitor(client[0] if client else None, agent, language, policy)

    def marks(
        self, properties: Raw, context: Raw, told: Mapping[str, Any], visitor: Visitor
    ) -> tuple[Raw, Raw, bool, Seen | None]:
        """Properties and context as they may be kept; whether the event is excluded, and what was seen, for its record.

        `told` is the context decoded.
        """
        ip = told.get("ip")
        if visitor is NOBODY:
            agent = told.get("userAgent")
            bot = agent is not None and type(agent) is str and self._bots.has(agent)
            excluded, seen = (self._exclude, BOT) if bot else (False, None)
        else:
            said = (1 if told.get("userAgent") else 0) + (2 if told.get("locale") else 0) + (4 if ip else 0)
            excluded, seen = visitor.excluded, visitor.seen[said]
        if excluded:
            self._count()
        if ip is None:
            return properties, context, excluded, seen
        given = ip if type(ip) is str else ""
        kept, before, after = self._cut(given) if visitor.strict is None else cut(given, visitor.strict)
        if kept != ip:
            raw = bytes(context)
            if kept is not None and (mended := raw.replace(before, after)) != raw:
                context = Raw(mended)  # wherever else it stood as well
            else:
                context = without(told, kept)
            if DOLLAR in (sent := bytes(properties)) and b'$ip"' in sent:  # where PostHog's SDKs put it
                properties = Raw(msgspec.json.encode({**msgspec.json.decode(sent), "$ip": kept}))
        if self._find is not None and given:
            seen = _or_none(replace(seen or NOTHING, **self._find(given)._asdict()))
        return properties, context, excluded, seen

    def _seen(self, client: str | None, agent: bytes, language: bytes, policy: bytes) -> Visitor:
        named = agent.decode("utf-8", "replace")[:LONGEST]
        strict = None if self._keep == "drop" else _POLICIES.get(policy.lower())
        bot = self._bots.has(named)
        ip = cut(client, strict or self._keep).kept if client else None
        place = self._find(client) if self._find is not None and client else NOWHERE
        spoken = locale({}, language.decode("latin-1")) or None
        seen = [
            _or_none(Seen(bot, address, program, tongue, *there))
            for address, there in ((ip, place), (None, NOWHERE))
            for tongue in (spoken, None)
            for program in (named or None, None)
        ]
        return Visitor(bot and self._exclude, tuple(seen), strict)


def _or_none(seen: Seen) -> Seen | None:
    return None if seen == NOTHING else seen


#: What Jitsu's SDK asks for in X-IP-Policy; it can only ask for less than the setting keeps.
_POLICIES = {b"remove": "drop", b"striplastoctet": "truncate"}


def cut(ip: str, keep: str) -> Cut:
    """An address as it may be kept: whole (`keep`), its network's (`truncate`) or not at all; so too what is none."""
    before = msgspec.json.encode(ip)
    if keep == "keep" and ip:
        return Cut(ip, before, before)
    try:
        address = ip_address(ip.strip())
        mapped = getattr(address, "ipv4_mapped", None) or address
        if keep == "truncate":
            kept = str(ip_network((int(mapped), CUT[mapped.version]), strict=False).network_address)
            return Cut(kept, before, msgspec.json.encode(kept))
    except ValueError:
        pass
    return Cut(None, before, b"")


def without(told: Mapping[str, Any], kept: str | None) -> Raw:
    """The context with its address as it may be kept, however the sender wrote it."""
    rest = {key: value for key, value in told.items() if key != "ip"}
    return Raw(msgspec.json.encode(rest if kept is None else {**rest, "ip": kept}))
