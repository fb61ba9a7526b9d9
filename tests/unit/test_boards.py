"""Grafana's boards as they are checked in: what can be known of them without Grafana."""

import re
from collections import Counter
from itertools import combinations
from typing import Any

import pytest
import yaml

from deploy.grafana.boards import BOARDS
from deploy.grafana.boards.board import spelt
from deploy.grafana.boards.queries import HAPPENED, moves, now, per_second, selector
from shared.telemetry import CATALOG, EVENTS, REVERSALS, STAGE_CUSTOMERS, STAGER_RECORDS, TRANSITIONS
from tests.support.boards import FOLDER, Board, boards, variables
from tests.support.compose import compose
from tests.support.processes import ROOT

PROVISIONING = ROOT / "deploy/grafana/provisioning"
COLUMNS = 24
each_board = pytest.mark.parametrize("board", boards(), ids=lambda board: str(board.name))


def provisioned(name: str) -> dict[str, Any]:
    """A file of the provisioning."""
    content: dict[str, Any] = yaml.safe_load((PROVISIONING / name).read_text())
    return content


def sources(part: Any) -> list[dict[str, str]]:
    """Every data source that is named anywhere in a board."""
    if isinstance(part, dict):
        own = [part["datasource"]] if "datasource" in part else []
        return own + [source for inner in part.values() for source in sources(inner)]
    return [source for inner in part for source in sources(inner)] if isinstance(part, list) else []


def test_the_boards_are_what_their_sources_make() -> None:
    """Each file is what its source makes of it now, and there is no other."""
    assert {board.name for board in boards()} == set(BOARDS)
    for name, made in BOARDS.items():
        text = (FOLDER / f"{name}.json").read_text("utf-8")
        assert text == spelt(made()), "run: python -m deploy.grafana.boards"


def test_every_metric_is_on_a_board() -> None:
    """Each metric of the catalogue is asked for by a panel."""
    asked = "\n".join(query.expression for board in boards() for query in board.queries)
    assert {metric.name for metric in CATALOG if not re.search(rf"\b{metric.name}(_bucket)?\b", asked)} == set()


def test_boards_have_addresses_of_their_own() -> None:
    """No two boards share an address or a title, and Grafana takes each address."""
    addresses = [board.content["uid"] for board in boards()]
    assert len(set(addresses)) == len({board.content["title"] for board in boards()}) == len(BOARDS)
    assert all(re.fullmatch(r"[a-z-]{1,40}", address) for address in addresses)


@each_board
def test_panels_have_ids_and_places_of_their_own(board: Board) -> None:
    """Ids are positive and unique; no two boxes share a cell of the grid, and none reaches over its edge."""
    ids = [box["id"] for box in board.boxes]
    assert len(set(ids)) == len(ids)
    assert min(ids) > 0
    for box in board.boxes:
        place = box["gridPos"]
        assert min(place["x"], place["y"]) >= 0 < min(place["w"], place["h"]), box["title"]
        assert place["x"] + place["w"] <= COLUMNS, box["title"]
    for one, other in combinations(board.boxes, 2):
        a, b = one["gridPos"], other["gridPos"]
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], f"{one['title']}, {other['title']}"


@each_board
def test_every_line_of_panels_is_full(board: Board) -> None:
    """Panels fill the width of the board, so that no hole shows."""
    filled = Counter[int]()
    for box in board.boxes:
        for row in range(box["gridPos"]["y"], box["gridPos"]["y"] + box["gridPos"]["h"]):
            filled[row] += box["gridPos"]["w"]
    assert set(filled.values()) == {COLUMNS}
    assert set(filled) == set(range(len(filled)))


@each_board
def test_every_panel_says_what_it_shows(board: Board) -> None:
    """Each has a title of its own on its board, a description that is a sentence, a unit, and series with names."""
    titles = [panel["title"] for panel in board.panels]
    assert len(set(titles)) == len(titles)
    for panel in board.panels:
        assert panel["title"], panel["id"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]
        assert all(target["legendFormat"] for target in panel["targets"]), panel["title"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references), panel["title"]
        assert all(target["range"] != target["instant"] for target in panel["targets"]), panel["title"]


@each_board
def test_panels_are_of_kinds_that_grafana_brings(board: Board) -> None:
    """No panel needs a plugin to be installed."""
    kinds = {panel["type"] for panel in board.panels}
    assert kinds <= {"bargauge", "heatmap", "stat", "table", "timeseries"}


@each_board
def test_data_comes_from_the_provisioned_source(board: Board) -> None:
    """Every panel, query and variable names the one data source that is provisioned, and Prometheus is it."""
    (source,) = provisioned("datasources/prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert "9090" in compose()["services"]["prometheus"]["ports"][0]
    named = sources(board.content)
    assert len(named) >= len(board.panels) + len(board.queries) + len(board.variables)
    assert all(one == {"type": source["type"], "uid": source["uid"]} for one in named)


@each_board
def test_variables_are_there_and_used(board: Board) -> None:
    """Titles and queries name only the board's variables, and all of them; a variable's query only those before it."""
    known = list(board.variables)
    for place, query in enumerate(board.variables.values()):
        assert variables(query) <= set(known[:place])
    used = set().union(*(variables(query.expression) for query in board.queries))
    assert used == set(known)
    for box in board.boxes:
        assert variables(box["title"]) <= set(known), box["title"]


def test_links_lead_to_boards() -> None:
    """A link in a panel names a board that is there, the variables of that board, and fills them from its own."""
    known = {board.content["uid"]: board for board in boards()}
    found = 0
    for board in boards():
        for panel in board.panels:
            for link in panel["fieldConfig"]["defaults"].get("links", []):
                address, _, choices = link["url"].removeprefix("/d/").partition("?")
                target = {choice.partition("=")[0].removeprefix("var-") for choice in choices.split("&")}
                assert target == set(known[address].variables)
                assert variables(link["url"]) <= set(board.variables)
                found += 1
    assert found


def test_the_compose_file_mounts_what_is_provisioned() -> None:
    """Grafana sees the provisioning, and the boards where the provider looks for them; it can change neither."""
    mounts = dict(volume.split(":", 1) for volume in compose()["services"]["grafana"]["volumes"])
    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning:ro"
    (provider,) = provisioned("dashboards/milepost.yml")["providers"]
    assert mounts["./deploy/grafana/dashboards"] == f"{provider['options']['path']}:ro"
    home = compose()["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/overview.json"


def test_the_source_knows_how_often_prometheus_scrapes() -> None:
    """Grafana's rates are over windows that fit the scrape interval."""
    (source,) = provisioned("datasources/prometheus.yml")["datasources"]
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]


def test_what_the_store_tells_is_taken_once() -> None:
    """The greatest of the replicas is taken of what the store knows; what processes count is added up."""
    assert now(STAGE_CUSTOMERS) == "sum(max without (instance) (milepost_stage_customers))"
    staged = per_second(EVENTS, ("result",), {"result": "~staged|lost"})
    series = 'milepost_events_total{result=~"staged|lost"}[$__rate_interval]'
    assert staged == f"sum by (result) (max without (instance) (rate({series})))"
    assert per_second(STAGER_RECORDS) == "sum(rate(milepost_stager_records_total[$__rate_interval]))"
    assert "max without (instance) (milepost_journey_version)" in moves(TRANSITIONS, (), HAPPENED, less=REVERSALS)


def test_a_query_for_what_is_not_there_is_not_made() -> None:
    """A label that the metric does not have, or a result that two owners tell together, is an error."""
    with pytest.raises(ValueError, match="milepost_stage_customers has no label shop"):
        selector(STAGE_CUSTOMERS, {"shop": "x"})
    with pytest.raises(ValueError, match="no label to"):
        now(STAGE_CUSTOMERS, ("to",))
    with pytest.raises(ValueError, match="unpack"):
        per_second(EVENTS, (), {"result": "~accepted|staged"})
