"""What a stager process tells Prometheus of itself. What it has made of the events is read from the store."""

from prometheus_client import CollectorRegistry

from shared import telemetry


class Telemetry:
    """The stager's own metrics, in the registry given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.batch_seconds = telemetry.STAGER_BATCH_SECONDS.new(registry)
        self.write_seconds = telemetry.STAGER_WRITE_SECONDS.new(registry)
        self.visible_seconds = telemetry.VISIBLE_SECONDS.new(registry)
        self.records = telemetry.STAGER_RECORDS.new(registry)
        self.retries = telemetry.STAGER_RETRIES.new(registry)
        self.unfollowed = telemetry.STATEMENTS_UNFOLLOWED.new(registry)
        self.held = telemetry.STAGER_PARTITIONS_HELD.new(registry)
        self.stopped = telemetry.STAGER_PARTITIONS_STOPPED.new(registry)
