"""Reads the golden cases of touchpoints; a key that is mistyped is told, not passed over."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.golden.reading import keys

FOLDER = Path(__file__).parent
SHOP = "https://shop.example/"

Object = dict[str, Any]


class Came(NamedTuple):
    """A touchpoint's context and properties, other hosts of the site, and what they tell."""

    context: Object
    properties: Object
    own: list[str]
    channel: str | None
    origin: dict[str, str]


class Touch(NamedTuple):
    """A touchpoint, and what it is told to be: kind, direction, content, heard."""

    type: str
    name: str | None
    parts: dict[str, Object]
    told: dict[str, str | None]


class Agent(NamedTuple):
    """A user agent, and what it tells."""

    agent: str
    told: dict[str, Any]


def load(name: str) -> list[Object]:
    """The cases of a file."""
    whole = keys(yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8")), {"cases"}, set(), name)
    return list(whole["cases"])


def channels() -> Iterator[Came]:
    """Every case of channels.yaml."""
    told = {"source", "medium", "term", "content", "id", "click", "search"}
    given = {"from", "link", "campaign", "page", "properties", "own"}
    for case in load("channels"):
        keys(case, {"channel"}, given | told, str(case))
        for referrer, link in product(_several(case.get("from", "")), _several(case.get("link", ""))):
            page = case.get("page", {"url": SHOP + link, "referrer": referrer})
            context = ({} if page is None else {"page": page}) | (
                {"campaign": case["campaign"]} if "campaign" in case else {}
            )
            expected = {key: case[key] for key in told & case.keys()}
            yield Came(context, case.get("properties", {}), case.get("own", []), case["channel"], expected)


def kinds() -> Iterator[Touch]:
    """Every case of kinds.yaml."""
    told = {"kind", "direction", "content", "heard"}
    given = {"type", "name", "properties", "context", "traits", "page"}
    for case in load("kinds"):
        keys(case, set(), given | told, str(case))
        parts = {part: dict(case.get(part, {})) for part in ("properties", "context", "traits")}
        if "page" in case:
            parts["context"]["page"] = {"url": SHOP + case["page"]}
        for name in _several(case.get("name")):
            yield Touch(case.get("type", "track"), name, parts, {key: case[key] for key in told & case.keys()})


def agents() -> Iterator[Agent]:
    """Every case of agents.yaml."""
    told = {"type", "os", "os_version", "browser", "browser_version", "brand", "model"}
    for case in load("agents"):
        keys(case, {"agent"}, told, str(case))
        for agent in _several(case["agent"]):
            yield Agent(agent, {key: case[key] for key in told & case.keys()})


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
