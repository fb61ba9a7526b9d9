"""How somebody came: source, medium and campaign of a visit, from parameters, click ids and referrer.

As GA4 has it: what a link says of itself (utm_…) counts first, then its click id, then where it stood; no link at all
is direct. A page reached from another of the same site says nothing.
"""

from collections.abc import Collection, Iterator
from functools import cached_property
from typing import NamedTuple

from publicsuffixlist import PublicSuffixList

from shared.touch.parts import Address, Object, address, inner, text
from shared.touch.rows import first, grouped
from shared.touch.tables import Source, Tables
from shared.touch.text import fold

DIRECT, NONE, UNKNOWN = "(direct)", "(none)", "(not set)"
ORGANIC, REFERRAL, EMAIL, ASSISTANT = "organic", "referral", "email", "ai-assistant"
UNASSIGNED = "unassigned"

#: The channels that are paid for: see `Origins.channel`.
PAID = frozenset(
    {"cross-network", "paid shopping", "paid search", "paid social", "paid video", "paid other", "display"}
)


class Origin(NamedTuple):
    """How somebody came. Texts as they were sent; "" where nothing was said.

    `category` is that of the source in sources.yaml, `click` the name of the click id, `referrer` the host that the
    link stood on, `search` what was searched for.
    """

    source: str
    medium: str
    campaign: str = ""
    term: str = ""
    content: str = ""
    id: str = ""
    click: str = ""
    referrer: str = ""
    search: str = ""
    category: str = ""


class Origins:
    """Finds origins and their channels by tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._own = frozenset(tables.own)
        self._channels = grouped(tables.channels)

    @cached_property
    def _suffixes(self) -> PublicSuffixList:
        return PublicSuffixList()

    def origin(self, context: Object, properties: Object, own: Collection[str] = ()) -> Origin | None:
        """How somebody came to this touchpoint. `own` are hosts of the site beside that of the page itself.

        None if it says nothing of that: it has no page, or came from the site's own or from a place on the way.
        """
        page = inner(context, "page")
        here = address(_first(page, "url") or _first(properties, "url", "$current_url") or _first(page, "search"))
        link = _first(page, "referrer") or _first(inner(context, "referrer"), "url", "link")
        link = link or _first(properties, "referrer", "$referrer")
        there = address("" if link == "$direct" else link)
        origin = self._tagged(here, context, properties)
        searched = self._searched(there)
        if origin.source or origin.medium or origin.campaign or origin.id:
            source = origin.source or UNKNOWN
            category = self._named(source)
            return origin._replace(
                source=source,
                medium=origin.medium or UNKNOWN,
                referrer=there.host,
                search=origin.term or searched,
                category=category,
            )
        if there.host:
            if self._is_own(there.host, here.host, own):
                return None
            known = self.source(there.host)
            if known is None:
                return Origin(there.host, REFERRAL, referrer=there.host)
            if known.category == "through":
                return None
            medium = _MEDIUM.get(known.category, REFERRAL)
            return Origin(known.name, medium, referrer=there.host, search=searched, category=known.category)
        return Origin(DIRECT, NONE) if page or here.host or here.path else None

    def channel(self, origin: Origin) -> str:
        """The channel of an origin, by the rows of channels.yaml."""

        def look(key: str) -> tuple[str, ...]:
            found = getattr(origin, key, "")
            return (fold(found),) if found else ()

        return first(self._channels, look) or UNASSIGNED

    def source(self, host: str) -> Source | None:
        """The known source that a host belongs to: the longest name of it that is in the table."""
        hosts = self._tables.hosts
        for part in _endings(host):
            if part in hosts:
                return hosts[part]
        suffix = self._suffixes.publicsuffix(host) if host else None
        if suffix is not None and host != suffix:
            for part in _endings(host[: -len(suffix) - 1]):
                if (found := hosts.get(f"{part}.*")) is not None:
                    return found
        return None

    def _named(self, source: str) -> str:
        """The category of what a link names as its source."""
        name = fold(source)
        found = self._tables.names.get(name) or (self.source(name) if "." in name else None)
        return "" if found is None or found.category == "through" else found.category

    def _tagged(self, here: Address, context: Object, properties: Object) -> Origin:
        """What the link said of itself, the click id filling in."""
        campaign, query = inner(context, "campaign"), here.query

        def said(utm: str, *keys: str) -> str:
            return _first(campaign, *keys) or text(query.get(utm)) or _first(properties, utm, f"${utm}")

        origin = _UNSAID
        if campaign or query or not properties.keys().isdisjoint(_UTM):
            origin = Origin(*(said(utm, *keys) for utm, keys in _SAID.items()))
        source, medium = origin.source, origin.medium
        clicks, given = self._tables.clicks, inner(context, "clickIds", "click_ids")
        seen = {name.lower() for name in (*query, *given)} | {key.lstrip("$").lower() for key in properties}
        if clicks.keys().isdisjoint(seen):
            return origin
        parameter = next(name for name in clicks if name in seen)
        click = clicks[parameter]
        if source and medium and self._is_paid(click.source, click.medium) and not self._is_paid(source, medium):
            source = medium = ""
        return origin._replace(source=source or click.source, medium=medium or click.medium, click=parameter)

    def _is_paid(self, source: str, medium: str) -> bool:
        return self.channel(Origin(source, medium, category=self._named(source))) in PAID

    def _searched(self, there: Address) -> str:
        if not there.query or (known := self.source(there.host)) is None or known.category != "search":
            return ""
        return next((there.query[term] for term in self._tables.terms if there.query.get(term)), "")

    def _is_own(self, there: str, here: str, own: Collection[str]) -> bool:
        """Whether two hosts are of one site: of one registrable domain, or named as the site's own."""
        if there == here:
            return True
        site = self._suffixes.privatesuffix(there) if here else None
        if site is not None and site == self._suffixes.privatesuffix(here):
            return True
        return any(part in self._own or part in own for part in _endings(there))


#: The parameters of a link, in the order of an origin's fields, with the keys that a context has for the same.
_SAID = {
    "utm_source": ("source",),
    "utm_medium": ("medium",),
    "utm_campaign": ("name", "campaign"),
    "utm_term": ("term", "keyword"),
    "utm_content": ("content",),
    "utm_id": ("id",),
}
_UTM = frozenset(name for utm in _SAID for name in (utm, f"${utm}"))
_UNSAID = Origin("", "")

#: The medium that the category of a referrer stands for; GA4 calls social networks and video sites referrals.
_MEDIUM = {"search": ORGANIC, "shopping": REFERRAL, "assistant": ASSISTANT, "mail": EMAIL}


def _first(part: Object, *keys: str) -> str:
    for key in keys if part else ():
        if (value := part.get(key)) is not None and (found := text(value)):
            return found
    return ""


def _endings(host: str) -> Iterator[str]:
    """The host, then what is left of it without its first label, and so on."""
    while host:
        yield host
        host = host.partition(".")[2]
