"""The tables that touchpoints are read with: ours (`tables/*.yaml`), under those of a site's own files."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from shared.touch.reading import PARTS, Place, TablesError
from shared.touch.rows import Row
from shared.touch.text import fold

CATEGORIES = ("search", "social", "video", "shopping", "assistant", "mail", "through")
DIRECTIONS = ("by", "to", "about")


class Source(NamedTuple):
    """Where a visit may come from."""

    category: str
    name: str


class Click(NamedTuple):
    """The visit that a parameter of a link tells of."""

    source: str
    medium: str


@dataclass(slots=True)
class Tables:
    """The tables, read. What stands first counts; a site's own entries stand before ours.

    `hosts` are under their own spelling (`google.*` included) and `names` folded; `roles` are those of each folded
    event name; `heard` are paths. `bots` and `never` are patterns of user agents.
    """

    hosts: dict[str, Source] = field(default_factory=dict)
    names: dict[str, Source] = field(default_factory=dict)
    terms: list[str] = field(default_factory=list)
    clicks: dict[str, Click] = field(default_factory=dict)
    own: list[str] = field(default_factory=list)
    channels: list[Row] = field(default_factory=list)
    kinds: list[Row] = field(default_factory=list)
    directions: list[Row] = field(default_factory=list)
    contents: list[Row] = field(default_factory=list)
    roles: dict[str, frozenset[str]] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    bots: list[re.Pattern[str]] = field(default_factory=list)
    never: list[re.Pattern[str]] = field(default_factory=list)


def load(site: Path | None = None, roles: Mapping[str, Iterable[str]] | None = None) -> Tables:
    """Our tables, with those of a site's file, or of all *.yaml files of its folder, before them.

    `roles` are the names bound to each role (templates/roles.yaml); a site's tables add to them. Raises TablesError.
    """
    return read([*_of(site), *ours()], roles or {})


def ours() -> list[tuple[str, str]]:
    """Name and text of each of our own tables."""
    folder = resources.files("shared.touch").joinpath("tables")
    return sorted((file.name, file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".yaml"))


def read(files: Iterable[tuple[str, str]], roles: Mapping[str, Iterable[str]]) -> Tables:
    """The tables of files (name, text), the first before the others. Raises TablesError with every fault."""
    tables, faults = Tables(), list[str]()
    names: dict[str, set[str]] = {}
    for role, meant in roles.items():
        for name in meant:
            names.setdefault(fold(name), set()).add(role)
    for file, text in files:
        whole = Place.of(text, file, faults)
        for section, place in whole.entries() if whole is not None else ():
            if section == "roles":
                _roles(place, names)
            elif place.choice(section, _SECTIONS, "table"):
                _SECTIONS[section](place, tables)
    if faults:
        raise TablesError(faults)
    tables.roles = {name: frozenset(of) for name, of in names.items()}
    return tables


def _of(site: Path | None) -> list[tuple[str, str]]:
    if site is None:
        return []
    try:
        files = sorted(site.glob("*.yaml")) if site.is_dir() else [site]
        if not files:
            raise TablesError([f"{site}: no file of this folder ends in .yaml. Name a file, or put one there."])
        return [(str(file), file.read_text("utf-8")) for file in files]
    except (OSError, UnicodeDecodeError) as error:
        raise TablesError([f"{site}: it cannot be read ({error}). Name a file of UTF-8 text."]) from None


def _sources(place: Place, tables: Tables) -> None:
    for category, names in place.entries():
        if not names.choice(category, CATEGORIES, "category"):
            continue
        for name, spelt in names.entries():
            source = Source(category, name)
            for text in (name, *spelt.texts()):
                if " " not in text and "." in text:
                    tables.hosts.setdefault(text.lower(), source)
                else:
                    tables.names.setdefault(fold(text), source)


def _clicks(place: Place, tables: Tables) -> None:
    for parameter, fields in place.entries():
        told = {key: value.text() for key, value in fields.entries() if value.choice(key, Click._fields, "key")}
        source, medium = told.get("source"), told.get("medium")
        if source is None or medium is None:
            fields.fault("a click parameter needs a source and a medium", "Write {source: …, medium: …}.")
        else:
            tables.clicks.setdefault(parameter.lower(), Click(source, medium))


def _rows(rows: Callable[[Tables], list[Row]], named: str, values: tuple[str, ...] = ()) -> "_Section":
    def section(place: Place, tables: Tables) -> None:
        rows(tables).extend(row for member in place.members() if (row := member.row(named, values)) is not None)

    return section


def _patterns(patterns: Callable[[Tables], list[re.Pattern[str]]]) -> "_Section":
    def section(place: Place, tables: Tables) -> None:
        for member in place.members():
            if (text := member.text()) is not None and (pattern := member.pattern(text)) is not None:
                patterns(tables).append(pattern)

    return section


def _heard(place: Place, tables: Tables) -> None:
    for member in place.members():
        if (path := member.text()) is not None:
            if path.partition(".")[0] in PARTS and "." in path:
                tables.heard.append(path)
            else:
                member.fault(f"{path!r} is not a path", "Begin it with properties., traits. or context.")


def _roles(place: Place, names: dict[str, set[str]]) -> None:
    for role, meant in place.entries():
        for name in meant.texts():
            names.setdefault(fold(name), set()).add(role)


_Section = Callable[[Place, Tables], None]

_SECTIONS: Mapping[str, _Section] = {
    "sources": _sources,
    "terms": lambda place, tables: tables.terms.extend(text.lower() for text in place.texts()),
    "clicks": _clicks,
    "own": lambda place, tables: tables.own.extend(text.lower() for text in place.texts()),
    "channels": _rows(lambda tables: tables.channels, "channel"),
    "kinds": _rows(lambda tables: tables.kinds, "kind"),
    "directions": _rows(lambda tables: tables.directions, "direction", DIRECTIONS),
    "contents": _rows(lambda tables: tables.contents, "content"),
    "heard": _heard,
    "bots": _patterns(lambda tables: tables.bots),
    "never": _patterns(lambda tables: tables.never),
}
