"""The catalogue of metrics, and the page made of several registries."""

import re

import pytest
from prometheus_client import CollectorRegistry

from services.metrics import reference
from shared import telemetry
from shared.metric import Counter, Families, Metric, exposition
from shared.telemetry import BUILD_INFO, CATALOG, EVENTS, registry
from tests.support.prometheus import samples


def test_every_declared_metric_is_in_the_catalogue() -> None:
    """The catalogue is the module's declarations, each name once."""
    declared = {name: value for name, value in vars(telemetry).items() if isinstance(value, Metric)}
    assert set(CATALOG) == set(declared.values())
    assert len({metric.name for metric in CATALOG}) == len(CATALOG) > 10


@pytest.mark.parametrize("metric", CATALOG, ids=lambda metric: str(metric.name))
def test_a_name_follows_the_conventions(metric: Metric) -> None:
    """Names begin with milepost_, counters alone end in _total, and the help is a sentence."""
    assert re.fullmatch(r"milepost(_[a-z]+)+", metric.name)
    assert metric.name.endswith("_total") == isinstance(metric, Counter)
    assert metric.name.endswith("_seconds") == (metric.unit == "seconds")
    assert metric.help.endswith(".")
    assert not metric.values or len(metric.labels) == 1
    assert not set(metric.values) & set(metric.stored)


def test_two_registries_share_a_name_without_two_families() -> None:
    """A name that one registry counts and another reads from the store is one family with both values."""
    ingest = CollectorRegistry()
    EVENTS.new(ingest).labels("accepted").inc(3)
    page = exposition(ingest, Families([EVENTS.family([(("staged",), 2)])]))
    assert page.count(b"# TYPE milepost_events_total counter") == 1
    assert samples(page) == {
        ("milepost_events_total", (("result", "accepted"),)): 3,
        ("milepost_events_total", (("result", "refused"),)): 0,
        ("milepost_events_total", (("result", "staged"),)): 2,
    }


def test_a_process_tells_its_version() -> None:
    """A process's registry begins with the build and shows nothing that is not declared."""
    found = samples(exposition(registry()))
    assert [name for name, _ in found] == [BUILD_INFO.name]


def test_the_page_of_metrics_is_current() -> None:
    """docs/metrics.md is what the catalogue makes of it now, every metric once."""
    assert reference.FILE.read_text("utf-8") == reference.page(), "run: python -m services.metrics.reference"
    assert all(reference.page().count(f"| `{metric.name}` |") == 1 for metric in CATALOG)
