"""The deployed rules and alerts: by promtool's own tests, and against the catalogue and the runbooks."""

import re
from typing import Any

import pytest
import yaml

from shared.telemetry import CATALOG
from tests.support.compose import compose
from tests.support.processes import ROOT, run
from tests.support.prometheus import DEPLOYED, promtool, rules

TESTS = sorted((ROOT / "tests/integration/alerts").glob("*.yml"))
ALERTS, RECORDED = rules("alert"), rules("record")
RUNBOOKS = ROOT / "docs/runbooks.md"
ALWAYS = "MilepostDeadMansSwitch"

alerts = pytest.mark.parametrize("alert", ALERTS)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("file", TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_else_not(file: Any) -> None:
    """promtool finds what each alert's tests expect, over restarts, two replicas and a publication."""
    run(promtool(), "test", "rules", file, within=280)


@alerts
def test_every_alert_is_tested_both_ways(alert: str) -> None:
    """A promtool test that names the alert expects it at one time, and at another that nothing fires."""
    groups = [group for file in TESTS for group in yaml.safe_load(file.read_text())["tests"] if alert in group["name"]]
    expected = [query["exp_samples"] for group in groups for query in group["promql_expr_test"]]
    assert any(f'"{alert}"' in sample["labels"] for samples in expected for sample in samples)
    assert [] in expected or alert == ALWAYS


@alerts
def test_every_alert_tells_what_to_do(alert: str) -> None:
    """It has a severity, a summary, a description, and a runbook whose section is named after it."""
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in ("page", "ticket", "none")
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbooks.md#{alert.lower()}"
    section = RUNBOOKS.read_text().partition(f"\n### {alert}\n")[2].partition("\n##")[0]
    assert all(f"**{part}**" in section for part in ("Means", "Do"))
    assert "**Look**" in section or alert == ALWAYS


def test_runbooks_are_of_alerts() -> None:
    """The runbooks have no section of an alert that is not there."""
    assert set(re.findall(r"^### (\w+)$", RUNBOOKS.read_text(), re.MULTILINE)) == set(ALERTS)


def test_rules_read_what_there_is() -> None:
    """Every metric in a rule is in the catalogue, with the labels it is asked for, and every recorded name recorded."""
    told = {metric.name: metric for metric in CATALOG}
    for name, rule in (ALERTS | RECORDED).items():
        for metric, selector in re.findall(r"\b(milepost_\w+)(?:\{(.*?)\})?", rule["expr"]):
            declared = told[re.sub(r"_bucket$", "", metric)]
            asked = set(re.findall(r"(\w+)\s*[=!]", selector))
            assert asked <= set(declared.labels), f"{name}: {metric}"
        assert set(re.findall(r"\bmilepost:[\w:]+", rule["expr"])) <= set(RECORDED), name


def test_no_alert_hears_of_publications() -> None:
    """What counts moves for an alert counts those that customers and time make, in the version that answers."""
    moves = [
        rule["expr"] for rule in (ALERTS | RECORDED).values() if '"version"' in rule["expr"] or "cause" in rule["expr"]
    ]
    assert len(moves) >= 5
    for expression in moves:
        assert 'cause=~"live|timer"' in expression
        assert "milepost:journey_version:answers" in expression


def test_the_compose_file_mounts_the_rules() -> None:
    """Prometheus of docker-compose.yml finds the files of rules beside its configuration."""
    (mounted,) = (one for one in compose()["services"]["prometheus"]["volumes"] if one.startswith("./"))
    source, target, _ = mounted.split(":")
    assert (ROOT / source, target) == (DEPLOYED, "/etc/prometheus")
    names = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())["rule_files"]
    assert {DEPLOYED / name for name in names} == set(DEPLOYED.glob("*.yml")) - {DEPLOYED / "prometheus.yml"}
