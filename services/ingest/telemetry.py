"""What ingest tells Prometheus of itself; counted once a request, not once an event."""

from collections import Counter

from prometheus_client import CollectorRegistry

from shared import telemetry


class Telemetry:
    """Ingest's own metrics, in the registry given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        events = telemetry.EVENTS.new(registry)
        self._accepted, self._refused = events.labels("accepted"), events.labels("refused")
        self._codes = telemetry.REFUSED.new(registry)
        #: An event that counts for nothing, as a bot did it.
        self.bot = telemetry.BOTS.new(registry).inc
        self._unknown = telemetry.UNKNOWN_PATHS.new(registry)
        self._seconds = telemetry.INGEST_SECONDS.new(registry)
        self._bytes = telemetry.INGEST_BYTES.new(registry)

    def answered(self, seconds: float, size: int, accepted: int, refused: Counter[str]) -> None:
        """A request of this size was read and its events decided on."""
        self._seconds.observe(seconds)
        self._bytes.inc(size)
        self._accepted.inc(accepted)
        if refused:
            self._refused.inc(refused.total())
            for code, count in refused.items():
                self._codes.labels(code).inc(count)

    def turned_away(self, code: str) -> None:
        """A whole request got nowhere; how many events it held is not known."""
        self._codes.labels(code).inc()

    def unknown(self, family: str) -> None:
        """A path was asked for that is not there."""
        self._unknown.labels(family).inc()
