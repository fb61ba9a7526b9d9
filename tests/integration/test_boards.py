"""Every query of every board, asked of a real Prometheus that scrapes a real server during and after the demo."""

import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest

from deploy.grafana.boards.queries import JOURNEY, now
from shared.telemetry import (
    CATALOG,
    DEAD_LETTERS,
    EVENTS,
    EXCLUSIONS,
    STAGE_CUSTOMERS,
)
from tests.acceptance.test_dead_letters import write
from tests.support.boards import Board, Query, boards, filled
from tests.support.processes import Processes, wait_until
from tests.support.prometheus import Prometheus
from tests.support.up import Up, milepost, milepost_here

#: What Grafana and a person would fill in. Prometheus is younger than the period on display.
CHOSEN = {"project": "default", "journey": "lifecycle", "stage": "onboarding", "key": ".*", "sdk": ".*"}
CHOSEN |= {"__rate_interval": "1m", "__range": "3600s"}

#: Panels of faults that the test does not make, and of what waits: for so short a time that it may not be seen.
QUIET = {
    *("Quarantined", "Unaccounted", "Stages off", "Partitions stopped", "Series left out"),
    *("Lag", "Lag by partition", "Deriver's queue", "Timers due", "Names that no rule reads"),
    *("Statements not followed", "Work begun again"),
    *("Records in the spool", "Room in the spool", "Age of the spool", "Into and out of the spool"),
}

NOBODYS = {"type": "click", "messageId": "wrong", "userId": "anna"}
BOT = {"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}


@dataclass(frozen=True)
class Scraped:
    """A Prometheus that has scraped the server since an instant, in seconds since the epoch: under two names, so that
    it takes it for two replicas."""

    prometheus: Prometheus
    up: Up
    since: float

    def numbers(self, query: Query) -> list[tuple[dict[str, str], list[float]]]:
        """What a query shows now, or has shown since: the labels of each series, and its numbers."""
        expression = filled(query.expression, CHOSEN)
        if query.instant:
            found = [(one["metric"], [one["value"]]) for one in self.prometheus.query(expression)]
        else:
            until = time.time()
            history = self.prometheus.history(expression, until - int(until - self.since), until)
            found = [(one["metric"], one["values"]) for one in history]
        shown = [(labels, [float(text) for _, text in values]) for labels, values in found]
        return [(labels, [value for value in values if math.isfinite(value)]) for labels, values in shown]

    def query(self, name: str, panel: str) -> Query:
        """The one query of a panel of this board."""
        (found,) = (
            query for board in boards() if board.name == name for query in board.queries if query.panel == panel
        )
        return found

    def number(self, name: str, panel: str) -> float:
        """The one number that it shows now."""
        ((_, numbers),) = self.numbers(self.query(name, panel))
        return numbers[-1]


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    """After two small demos and a shop's usual trouble. A counter that begins has no rate before it rises again."""
    folder = tmp_path_factory.mktemp("boards")
    with Processes(folder) as processes:
        up = Up(processes, folder / "data")
        since = time.time()
        replicas = [f"{host}:{up.port}" for host in ("127.0.0.1", "localhost")]
        with Prometheus({"milepost": replicas}, interval="1s") as prometheus:
            for turn in (1, 2):
                size = ("--customers", "40", "--months", "5", "--seed", str(turn))
                milepost("demo", "--url", up.url, *size, data=up.data)
                trouble(up, turn)
                wait_until(partial(seen, prometheus, up, turn), within=30, ignore=(KeyError,))
            yield Scraped(prometheus, up, since)


def trouble(up: Up, turn: int) -> None:
    """An event that is none, a bot's, a record that somebody else put on the log, a request that went astray, and an
    exclusion."""
    bot = {"type": "page", "messageId": f"bot {turn}", "anonymousId": "bot", "context": BOT}
    httpx.post(f"{up.url}/v1/batch", json={"writeKey": up.key, "batch": [NOBODYS, bot]}).raise_for_status()
    assert httpx.post(f"{up.url}/v1/nowhere", json={}).status_code == 404
    write(up.data, b"nothing of ours")
    milepost_here("exclude", "apply", "--id", f"staff {turn}", "--why", "staff", data=up.data)


def seen(prometheus: Prometheus, up: Up, turn: int) -> bool:
    """Whether everything that was accepted is staged, and Prometheus has seen that, and the trouble of each turn."""
    events = prometheus.query(f"min by (result) ({EVENTS.name})")
    result = {one["metric"]["result"]: float(one["value"][1]) for one in events}
    done = result["staged"] + result["duplicate"] == result["accepted"]
    customers = prometheus.value(filled(now(STAGE_CUSTOMERS, (), JOURNEY), CHOSEN))
    troubles = [result["refused"], *(prometheus.value(f"min({metric.name})") for metric in (DEAD_LETTERS, EXCLUSIONS))]
    return done and customers == sum(staged(up).values()) and troubles == [turn] * 3


def asked(up: Up, what: str) -> Any:
    """What the server answers about the journey."""
    answer = httpx.get(f"{up.url}/v1/journeys/lifecycle/{what}", headers={"Authorization": f"Bearer {up.token}"})
    return answer.raise_for_status().json()


def staged(up: Up) -> dict[str, int]:
    """Customers by stage."""
    answer = asked(up, "stages")
    return {stage["stage"]: stage["customers"] for stage in answer["stages"]} | {"none": answer["none"]}


def moved(up: Up) -> dict[tuple[str, str], int]:
    """Moves that stand, by the stages before and after."""
    return {
        (flow["from"] or "absent", flow["to"] or "absent"): flow["n"] for flow in asked(up, "transitions")["counts"]
    }


@pytest.mark.parametrize("board", boards(), ids=lambda board: str(board.name))
def test_every_query_gets_data(scraped: Scraped, board: Board) -> None:
    """Every query of the board finds numbers, and each series has the labels that its name is made of; only panels of
    faults and of what waits show nothing but 0."""
    shown = set[str]()
    for query in board.queries:
        found = scraped.numbers(query)
        assert any(numbers for _, numbers in found), f"{query.panel}: {filled(query.expression, CHOSEN)}"
        named = set(re.findall(r"\{\{(\w+)\}\}", query.legend))
        assert all(named <= set(labels) for labels, _ in found if labels), query.panel
        if any(any(numbers) for _, numbers in found):
            shown.add(query.panel)
    silent = {panel["title"] for panel in board.panels} - shown - QUIET
    assert not silent, "\n".join(sorted(silent))


@pytest.mark.parametrize("board", boards(), ids=lambda board: str(board.name))
def test_every_variable_has_values(scraped: Scraped, board: Board) -> None:
    """Every choice of the board offers something, what is chosen here among it."""
    for name, query in board.variables.items():
        parts = re.fullmatch(r"label_values\((.+), (\w+)\)", filled(query, CHOSEN))
        assert parts
        series, label = parts.groups()
        offered = scraped.prometheus.label_values(label, series)
        assert offered
        assert CHOSEN[name] in {*offered, ".*"}


def test_every_metric_is_told(scraped: Scraped) -> None:
    """The server tells every metric of the catalogue but the spool's: none is missed because a board shows 0 for it."""
    told = {re.sub(r"_(bucket|count|sum)$", "", name) for name in scraped.prometheus.label_values("__name__")}
    untold = {metric.name for metric in CATALOG if metric.name not in told}
    assert {name for name in untold if not name.startswith("milepost_spool")} == set()


def test_numbers_are_those_that_the_server_answers(scraped: Scraped) -> None:
    """However many replicas Prometheus scrapes, and however soon it began, a board's numbers are those over HTTP."""
    stages, flows = staged(scraped.up), moved(scraped.up)
    assert scraped.number("overview", "Customers") == scraped.number("overview", "New") == sum(stages.values())
    assert scraped.number("journey", "Customers") == stages["onboarding"] > 0
    assert scraped.number("journey", "Came") == sum(n for (_, to), n in flows.items() if to == "onboarding")
    assert scraped.number("journey", "Left") == sum(n for (start, _), n in flows.items() if start == "onboarding")
    assert scraped.number("pipeline", "Dead letters") == 2


def test_flows_are_those_that_the_server_answers(scraped: Scraped) -> None:
    """Over a period longer than the shop is old, flows are all moves that stand; over one without moves, there are
    none."""

    def flows(period: str) -> dict[tuple[str, str], float]:
        expression = filled(scraped.query("overview", "Flows in the period").expression, {**CHOSEN, "__range": period})
        found = scraped.prometheus.query(expression)
        return {(one["metric"]["from"], one["metric"]["to"]): float(one["value"][1]) for one in found}

    wait_until(lambda: flows("3600s") == moved(scraped.up))
    wait_until(lambda: not flows("2s"))
