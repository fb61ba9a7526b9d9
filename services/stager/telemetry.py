"""What a stager process tells Prometheus of itself. What it has made of the events is read from the store."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600)


class Telemetry:
    """The stager's own metrics, in the registry given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.batch_seconds = Histogram(
            "milepost_stager_batch_seconds", "Time to stage and write one batch.", buckets=_SECONDS, registry=registry
        )
        self.visible_seconds = Histogram(
            "milepost_visible_seconds", "From received to visible in the store, newest record of each batch.",
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.records = Counter("milepost_stager_records_total", "Log records read and written.", registry=registry)
        self.retries = Counter(
            "milepost_stager_retries_total",
            "Units of work that were begun again, by reason.",
            ["reason"],
            registry=registry,
        )
        self.held = Gauge(
            "milepost_stager_partitions_held", "Partitions that this process works on.", registry=registry
        )
        self.stopped = Gauge(
            "milepost_stager_partitions_stopped", "Partitions stopped because their records are no longer on the log.",
            registry=registry,
        )  # fmt: skip
