"""What PostHog keeps in an event's properties and Segment in its context: the page, the campaign, the device."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from services.ingest.protocols.port import Raw
from services.ingest.protocols.posthog_shapes import Said
from shared.events import EMPTY

_Reads = dict[str, Callable[[Said], Any]]


def _reads(**places: str) -> _Reads:
    return {place: attrgetter(name) for place, name in places.items()}


#: Parts of a context, each with its entries and the properties that they are read from.
_PARTS: dict[str, _Reads] = {
    "library": _reads(name="lib", version="lib_version"),
    "app": _reads(name="app_name", version="app_version", build="app_build", namespace="app_namespace"),
    "campaign": _reads(
        source="utm_source", medium="utm_medium", name="utm_campaign", term="utm_term", content="utm_content"
    ),
    "page": _reads(url="current_url", path="pathname", title="title", referrer="referrer"),
}
#: The same for the machine that sent it, which is not the customer's if it is a server.
_MACHINE: dict[str, _Reads] = {
    "os": {"name": lambda said: said.os or said.os_name, "version": attrgetter("os_version")},
    "device": _reads(type="device_type", manufacturer="device_manufacturer", model="device_model", name="device_name"),
    "screen": _reads(width="screen_width", height="screen_height"),
}
_UTM = {f"utm_{name}": name for name in ("source", "medium", "term", "content")} | {"utm_campaign": "name"}
#: The referrer of a page that nothing led to.
_DIRECT = "$direct"

_encode = msgspec.json.Encoder().encode


def context_of(said: Said, library: str | None, own: dict[str, Raw]) -> Raw:
    """An event's context; `library` is the sender's name/version as the request says it, `own` is what the event has
    of a context already, which wins."""
    context: dict[str, Any] = {}
    for parts in (_PARTS,) if said.is_server is True else (_PARTS, _MACHINE):
        for part, reads in parts.items():
            found = {place: value for place, read in reads.items() if _is_plain(value := read(said))}
            if found:
                context[part] = found
    plain = {
        "userAgent": (said.raw_user_agent, said.user_agent),
        "ip": (said.ip,),
        "locale": (said.locale, said.browser_language),
        "timezone": (said.timezone,),
    }
    for place, values in plain.items():
        if text := next((value for value in values if value and isinstance(value, str)), None):
            context[place] = text
    if library and "library" not in context:
        name, _, version = library.partition("/")
        context["library"] = {"name": name, "version": version}
    url = said.current_url
    if isinstance(url, str) and url:
        path, search = split(url)
        context["page"] = {"path": path, "search": search, **context.get("page", {})}
        if "campaign" not in context and (campaign := _campaign(search)):
            context["campaign"] = campaign
    else:
        context.pop("page", None)  # a title or a referrer of no page
    context |= own
    return Raw(_encode(context)) if context else EMPTY


def as_page(said: Said) -> dict[str, Raw]:
    """What Segment's pages have among their properties, and PostHog's under other names or not at all."""
    url = said.current_url
    if not isinstance(url, str):
        return {}
    path, search = split(url)
    referrer = said.referrer if isinstance(said.referrer, str) and said.referrer != _DIRECT else ""
    page = {"url": url, "path": said.pathname or path, "search": search, "referrer": referrer}
    return {name: Raw(_encode(value)) for name, value in page.items()}


def split(url: str) -> tuple[str, str]:
    """The path of an address, and its query with the question mark."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.path, f"?{parts.query}" if parts.query else ""


def _campaign(search: str) -> dict[str, str]:
    # The first of a name counts.
    return {_UTM[name]: value for name, value in reversed(parse_qsl(search[1:])) if name in _UTM}


def _is_plain(value: object) -> bool:
    return type(value) in (str, int, float) and value not in ("", _DIRECT)
