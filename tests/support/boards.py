"""Grafana's boards as they are checked in: their panels, and what they ask Prometheus."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.processes import ROOT

FOLDER = ROOT / "deploy/grafana/dashboards"

VARIABLE = re.compile(r"\$\{?(\w+)")


@dataclass(frozen=True)
class Query:
    """One query of a panel. If `instant`, the panel shows its values now and no others."""

    panel: str
    expression: str
    legend: str
    instant: bool


@dataclass(frozen=True)
class Board:
    """A board: its name, and what its file says."""

    name: str
    content: dict[str, Any]

    @property
    def boxes(self) -> list[dict[str, Any]]:
        """Everything that has a place on it: rows and panels."""
        placed: list[dict[str, Any]] = self.content["panels"]
        return placed

    @property
    def panels(self) -> list[dict[str, Any]]:
        """What shows data."""
        return [box for box in self.boxes if box["type"] != "row"]

    @property
    def queries(self) -> list[Query]:
        """All queries of all panels."""
        return [
            Query(panel["title"], target["expr"], target["legendFormat"], target.get("instant", False))
            for panel in self.panels
            for target in panel["targets"]
        ]

    @property
    def variables(self) -> dict[str, str]:
        """The query of each variable, in their order: `label_values(series, label)`."""
        return {one["name"]: one["query"]["query"] for one in self.content["templating"]["list"]}


def boards() -> list[Board]:
    """Every board that is checked in."""
    return [Board(path.stem, json.loads(path.read_text("utf-8"))) for path in sorted(FOLDER.glob("*.json"))]


def variables(text: str) -> set[str]:
    """The board's own variables that a text names, as $name or ${name}; two underscores begin Grafana's."""
    return {name for name in VARIABLE.findall(text) if not name.startswith("__")}


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with these values in the places of variables. Raises KeyError for one that has none."""
    return re.sub(r"\$\{(\w+)\}|\$(\w+)", lambda match: values[match[1] or match[2]], text)
