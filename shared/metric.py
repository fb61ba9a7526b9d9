"""The kinds of metrics, and how what several sources tell becomes one page that Prometheus can read.

`shared/telemetry.py` declares which metrics there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

import prometheus_client
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Samples = Iterable[tuple[tuple[str, ...], float]]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its unit, what it says, who knows it, its labels.

    `values` are all values of its one label that its owner counts, where they are few; `stored` those that the store
    knows instead. So each value has one owner, and one way to be read.
    """

    name: str
    unit: str
    help: str
    owner: Literal["ingest", "stager", "process", "store"]
    labels: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    stored: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """counter, gauge or histogram."""
        return type(self).__name__.lower()

    def family(self, samples: Samples) -> Family:
        """The metric with samples that were counted elsewhere: (values of the labels in their order, value)."""
        family = Family(self.name.removesuffix("_total"), self.help, self.kind)
        for values, value in samples:
            family.add_sample(self.name, dict(zip(self.labels, values, strict=True)), value)
        return family


class Counter(Metric):
    """Only rises, but for a restart of the process that counts it."""

    def new(self, registry: CollectorRegistry) -> prometheus_client.Counter:
        """This process's own; the values of its label show at 0 from the start."""
        made = prometheus_client.Counter(self.name, self.help, self.labels, registry=registry)
        for value in self.values:
            made.labels(value)
        return made


class Gauge(Metric):
    """Rises and falls."""

    def new(self, registry: CollectorRegistry) -> prometheus_client.Gauge:
        """This process's own."""
        return prometheus_client.Gauge(self.name, self.help, self.labels, registry=registry)


class Histogram(Metric):
    """How seconds are spread."""

    def new(self, registry: CollectorRegistry) -> prometheus_client.Histogram:
        """This process's own."""
        return prometheus_client.Histogram(self.name, self.help, self.labels, buckets=_SECONDS, registry=registry)


# --- The page ---------------------------------------------------------------------------------------------------


class Source(Protocol):
    """Anything that gives families of samples, such as a registry."""

    def collect(self) -> Iterable[Family]:
        """The families now."""
        ...


class Families(Collector):
    """Families that are made already."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Family]:
        """Those given."""
        return self._families


def exposition(*sources: Source) -> bytes:
    """What Prometheus reads, from several sources as if they were one: families of one name are joined."""
    joined: dict[str, Family] = {}
    for source in sources:
        for family in source.collect():
            whole = joined.setdefault(family.name, Family(family.name, family.documentation, family.type))
            # The client library adds when each series began, under names that nobody declared.
            whole.samples += [sample for sample in family.samples if not sample.name.endswith("_created")]
    return generate_latest(Families(joined.values()))
