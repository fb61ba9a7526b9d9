"""The catalogue of metrics, and the page made of several registries."""

import math
import re
from collections import Counter as Events
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from services.commands.disks import watch_disk
from services.ingest.telemetry import Telemetry
from services.metrics import reference
from shared import telemetry
from shared.metric import Counter, Families, Metric, exposition
from shared.telemetry import BUILD_INFO, CATALOG, DISK_BYTES, DISK_FREE_BYTES, EVENTS, KEY_EVENTS, registry
from tests.support.processes import ROOT
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


def test_nobody_else_makes_metrics() -> None:
    """The client library's kinds of metrics are made in shared/metric.py alone: so what is emitted was declared."""
    made = re.compile(r"\b(Counter|Gauge|Histogram|Summary|Info|Enum)MetricFamily\b|prometheus_client\.\w+\(|Family\(")
    found = {
        str(path.relative_to(ROOT))
        for top in ("services", "shared")
        for path in (ROOT / top).rglob("*.py")
        if made.search(path.read_text())
    }
    assert found == {"shared/metric.py"}


def test_a_scrape_tells_of_the_disk(tmp_path: Path) -> None:
    """The disk under a folder is told with its size and what is left."""
    counts = CollectorRegistry()
    watch_disk("data", tmp_path, counts)
    found = samples(exposition(counts))
    labels = (("folder", "data"),)
    assert 0 < found[DISK_FREE_BYTES.name, labels] <= found[DISK_BYTES.name, labels]


def test_a_disk_that_is_gone_is_no_number(tmp_path: Path) -> None:
    """A folder that cannot be reached does not end the scrape."""
    counts = CollectorRegistry()
    watch_disk("spool", tmp_path / "gone", counts)
    assert all(math.isnan(value) for value in samples(exposition(counts)).values())


def test_keys_are_counted_one_by_one_up_to_a_bound() -> None:
    """However many keys send, so many series are all there is; what the rest sends is counted together."""
    counts = CollectorRegistry()
    counting = Telemetry(counts, series=100)
    for number in range(300):
        counting.answered(0.001, 10, 2, Events({"missing_id": 1}), f"key {number}", "segment")
    found = {dict(labels)["key"] for name, labels in samples(exposition(counts)) if name == KEY_EVENTS.name}
    told = {labels: n for (name, labels), n in samples(exposition(counts)).items() if name == KEY_EVENTS.name}
    assert len(told) == 100
    assert "key 0" in found
    assert told[("key", "other"), ("result", "accepted"), ("sdk", "other")] == 2 * (300 - 49)
    assert sum(told.values()) == 3 * 300
