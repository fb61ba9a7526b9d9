"""User agents: which are bots, and what device, system and browser the others are. Both remember what they have seen.

The lists are kept packages: crawler-user-agents for bots, and uap-core's expressions as ua-parser ships them.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from crawleruseragents import is_crawler
from ua_parser import BasicResolver, Parser, load_lazy_builtins

from shared.touch.parts import Object, inner, text
from shared.touch.tables import Tables

#: The longest user agent that is looked at, in characters: expressions are tried at each of them.
LONGEST = 600
#: How many user agents are remembered.
REMEMBERED = 10_000


class Device(NamedTuple):
    """What somebody used: `type` is smartphone, tablet, desktop, tv, console, watch or bot. "" is not known."""

    type: str = ""
    os: str = ""
    os_version: str = ""
    browser: str = ""
    browser_version: str = ""
    brand: str = ""
    model: str = ""


class Bots:
    """Tells bots by their user agents."""

    def __init__(self, tables: Tables, remembered: int = REMEMBERED) -> None:
        self._bots, self._never = tuple(tables.bots), tuple(tables.never)
        self.has: Callable[[str], bool] = lru_cache(remembered)(self._has)

    def _has(self, agent: str) -> bool:
        agent = agent[:LONGEST]
        if any(pattern.search(agent) for pattern in self._never):
            return False
        return any(pattern.search(agent) for pattern in self._bots) or is_crawler(agent)


class Devices:
    """Tells devices by what SDKs say of them, and by user agents."""

    def __init__(self, bots: Bots, remembered: int = REMEMBERED) -> None:
        self._parse = Parser(BasicResolver(load_lazy_builtins())).parse
        self._bots = bots
        self.read: Callable[[str], Device] = lru_cache(remembered)(self._read)

    def device(self, context: Object, agent: str | None = None) -> Device:
        """The device of a touchpoint; `agent` is the user agent of its request, if its context has none."""
        told = self.read(text(context.get("userAgent")) or agent or "")
        device, os = inner(context, "device"), inner(context, "os")
        model, name = text(device.get("model")), text(os.get("name"))
        if not (model or name):
            return told
        kind = told.type
        if not kind or (kind == "desktop" and text(device.get("type")).lower() in _MOBILE):
            kind = "tablet" if _TABLET.search(f"{model} {text(device.get('name'))}") else "smartphone"
            kind = kind if text(device.get("type")).lower() in _MOBILE or name.lower() in _MOBILE else told.type
        return told._replace(
            type=kind,
            os=name or told.os,
            os_version=text(os.get("version")) or told.os_version,
            brand=text(device.get("manufacturer")) or told.brand,
            model=model or told.model,
        )

    def _read(self, agent: str) -> Device:
        agent = agent[:LONGEST]
        if not agent:
            return Device()
        found = self._parse(agent).with_defaults()
        os, browser, device = found.os, found.user_agent, found.device
        return Device(
            "bot" if self._bots.has(agent) else _type(agent, _known(os.family)),
            _known(os.family),
            _version(os.major, os.minor),
            _known(browser.family),
            _version(browser.major, browser.minor),
            device.brand or "",
            device.model or "",
        )


def locale(context: Object, accepted: str | None = None) -> str:
    """The language that somebody reads, as a tag such as fa-IR; `accepted` is the request's Accept-Language."""
    given = text(context.get("locale")) or (accepted or "").partition(",")[0].partition(";")[0]
    found = _LOCALE.fullmatch(given.strip())
    if found is None:
        return ""
    language, script, region = found.groups()
    return "-".join(part for part in (language.lower(), (script or "").title(), (region or "").upper()) if part)


_LOCALE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?(?:[-_.@].*)?")
_MOBILE = ("ios", "android", "ipados")
_TABLET = re.compile(r"ipad|\btab\b|tablet", re.IGNORECASE)

#: The first that is found in a user agent names the type of device; then its system does.
_TYPES = (
    ("tv", re.compile(r"smart-?tv|\btv\b|hbbtv|appletv|web0s|bravia|roku|crkey|\baft\w", re.IGNORECASE)),
    ("console", re.compile(r"playstation|xbox|nintendo", re.IGNORECASE)),
    ("watch", re.compile(r"\bwatch|wear ?os", re.IGNORECASE)),
    ("tablet", re.compile(r"ipad|tablet|kindle|silk/|playbook|android(?!.*mobile)", re.IGNORECASE)),
    ("smartphone", re.compile(r"mobile|iphone|ipod|android|phone", re.IGNORECASE)),
)
_DESKTOPS = re.compile(r"windows|mac os|linux|ubuntu|debian|fedora|chrome ?os|bsd", re.IGNORECASE)


def _type(agent: str, os: str) -> str:
    browser = agent.startswith(("Mozilla/", "Opera/"))
    for name, pattern in _TYPES:
        if not browser and name == "tablet":  # an app: Dalvik/2.1.0 (Linux; U; Android 13; …) has no word for mobile
            return "smartphone" if os in ("Android", "iOS") else ""
        if pattern.search(agent):
            return name
    return "desktop" if _DESKTOPS.match(os) else ""


def _known(family: str) -> str:
    return "" if family == "Other" else family


def _version(*parts: str | None) -> str:
    return ".".join(part for part in parts if part)
