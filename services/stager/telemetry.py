"""What a stager process tells Prometheus of itself, and of each batch where traces are on. What it has made of the
events is read from the store."""

import time

from prometheus_client import CollectorRegistry

from shared import telemetry
from shared.events import SECOND
from shared.tracing import Span, Tracer


class Telemetry:
    """The stager's own metrics, in the registry given; with a tracer, also its batches."""

    def __init__(self, registry: CollectorRegistry, tracer: Tracer | None = None) -> None:
        self._tracer = tracer
        self._batch_seconds = telemetry.STAGER_BATCH_SECONDS.new(registry)
        self.write_seconds = telemetry.STAGER_WRITE_SECONDS.new(registry)
        self._visible_seconds = telemetry.VISIBLE_SECONDS.new(registry)
        self._records = telemetry.STAGER_RECORDS.new(registry)
        self.retries = telemetry.STAGER_RETRIES.new(registry)
        self.unfollowed = telemetry.STATEMENTS_UNFOLLOWED.new(registry)
        self.held = telemetry.STAGER_PARTITIONS_HELD.new(registry)
        self.stopped = telemetry.STAGER_PARTITIONS_STOPPED.new(registry)

    def staged(self, partition: int, records: int, newest: int, seconds: float) -> None:
        """A batch of a partition was written, after so many seconds; `newest` is its latest received time, 0: none."""
        now = time.time_ns()
        self._batch_seconds.observe(seconds)
        self._records.inc(records)
        if newest:
            self._visible_seconds.observe(max(0.0, now / 1e9 - newest / SECOND))
        if self._tracer is not None:
            told = {"milepost.partition": partition, "milepost.records": records}
            self._tracer.record(Span("stage", now - int(seconds * 1e9), now, told))
