"""What all boards share: how one is put together of rows of panels and variables, and how it is spelt."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, QueryVariable, Row
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableRefresh,
    VariableSort,
)

from deploy.grafana.boards.panels import SOURCE, Panel
from deploy.grafana.boards.queries import values
from shared.telemetry import STAGE_CUSTOMERS

#: What every board carries, so that each links to the others.
TAG = "milepost"


@dataclass(frozen=True, slots=True)
class Section:
    """Panels under a heading. They flow from left to right; those of a line fill its 24 columns."""

    title: str
    panels: Sequence[Panel]


def board(
    name: str,
    title: str,
    description: str,
    sections: Sequence[Section],
    variables: Sequence[QueryVariable] = (),
    since: str = "now-1h",
    refresh: str = "30s",
) -> dashboard.Dashboard:
    """A board under the address `milepost-<name>`, showing what was since an instant like now-1h."""
    made = (
        Dashboard(f"Milepost: {title}")
        .uid(f"{TAG}-{name}")
        .description(description)
        .tags([TAG])
        .time(since, "now")
        .timezone("browser")
        .refresh(refresh)
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .variables(list(variables))
        .annotations([])
        .link(
            DashboardLink("Milepost's boards")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .keep_time(True)
            .include_vars(True)
        )
    )
    number = 0
    for section in sections:
        number += 1
        made.with_row(Row(section.title).id(number))
        for panel in section.panels:
            number += 1
            made.with_panel(panel.id(number))
    return made.build()


def variable(name: str, label: str, description: str, query: str) -> QueryVariable:
    """A choice of one, from what Prometheus knows."""
    return (
        QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(SOURCE)
        .query({"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def choice(name: str, label: str, description: str, query: str) -> QueryVariable:
    """A choice of several, which begins with all of them. Its value is a regular expression."""
    everything = dashboard.VariableOption(selected=True, text="All", value="$__all")
    return variable(name, label, description, query).multi(True).include_all(True).all_value(".*").current(everything)


def of_journey() -> list[QueryVariable]:
    """Which journey of which project a board is about."""
    return [
        variable("project", "Project", "Whose customers.", values(STAGE_CUSTOMERS, "project")),
        variable(
            "journey",
            "Journey",
            "The journey that they are on.",
            values(STAGE_CUSTOMERS, "journey", {"project": "$project"}),
        ),
    ]


def spelt(made: dashboard.Dashboard) -> str:
    """A board as the text of its file."""
    return JSONEncoder(sort_keys=True, indent=2).encode(made) + "\n"
