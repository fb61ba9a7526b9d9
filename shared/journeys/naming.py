"""What a definition says to people: names, titles in several languages, free text."""

import re

from shared.journeys.model import Title
from shared.journeys.reading import Place, shown

_NAME = re.compile(r"\w[\w.-]{0,63}")


def name(place: Place | None) -> str:
    """The name of a journey, a stage or a persona; empty if it is missing."""
    if place is None or (name := place.text("a name")) is None:
        return ""
    if not _NAME.fullmatch(name):
        place.problem(f"{shown(name)} is not a name", "use up to 64 letters, digits, - and _; put the rest in title:")
    return name


def names(members: list[Place], key: str) -> list[str]:
    """The names that stand under a key of each member: first of all, since anything may refer to them."""
    names: list[str] = []
    for member in members:
        name = member.value.get(key) if isinstance(member.value, dict) else None
        if isinstance(name, str):
            if name in names:
                member.child(key).problem(f"there are two {key}s {name!r}", "give each a name of its own")
            names.append(name)
    return names


def title(fields: dict[str, Place], name: str) -> Title:
    """What stands under `title:`, one text or one by language; else the name."""
    if (place := fields.get("title")) is None:
        return Title({"": name})
    if not isinstance(place.value, dict):
        return Title({"": place.text() or name})
    if place.value == {}:
        place.problem("it is empty", "write a text, or one for each language")
    texts = {language: text.text() for language, text in (place.entries() or {}).items()}
    return Title({language: text for language, text in texts.items() if text} or {"": name})


def text(fields: dict[str, Place], key: str) -> str:
    """The free text under a key; empty if it is missing."""
    return (fields[key].text() or "") if key in fields else ""
