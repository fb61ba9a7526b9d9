"""What ingest tells Prometheus of itself; counted once a request, not once an event."""

from collections import Counter

import prometheus_client
from prometheus_client import CollectorRegistry

from shared import telemetry

#: Under what the keys are counted together that come after as many as may be counted one by one.
OTHER = "other"

Pair = tuple[prometheus_client.Counter, prometheus_client.Counter]


class Telemetry:
    """Ingest's own metrics, in the registry given; events by key in at most `series` series."""

    def __init__(self, registry: CollectorRegistry, series: int) -> None:
        events = telemetry.EVENTS.new(registry)
        self._accepted, self._refused = events.labels("accepted"), events.labels("refused")
        self._codes = telemetry.REFUSED.new(registry)
        #: An event that counts for nothing, as a bot did it.
        self.bot = telemetry.BOTS.new(registry).inc
        self._unknown = telemetry.UNKNOWN_PATHS.new(registry)
        self._seconds = telemetry.INGEST_SECONDS.new(registry)
        self._bytes = telemetry.INGEST_BYTES.new(registry)
        self._key_events = telemetry.KEY_EVENTS.new(registry)
        self._pairs: dict[tuple[str, str], Pair] = {}
        self._most_pairs = series // 2
        #: Seconds until a request's events were durable.
        self.appended = telemetry.APPEND_SECONDS.new(registry).observe

    def answered(
        self, seconds: float, size: int, accepted: int, refused: Counter[str], key: str = "", sdk: str = ""
    ) -> None:
        """A request of this size, with the key of this name, was read and its events decided on."""
        self._seconds.observe(seconds)
        self._bytes.inc(size)
        self._accepted.inc(accepted)
        taken, turned = self._pairs.get((key, sdk)) or self._pair(key, sdk)
        taken.inc(accepted)
        if refused:
            turned.inc(refused.total())
            self._refused.inc(refused.total())
            for code, count in refused.items():
                self._codes.labels(code).inc(count)

    def _pair(self, key: str, sdk: str) -> Pair:
        known = (key, sdk) if len(self._pairs) < self._most_pairs - 1 else (OTHER, OTHER)
        labels = self._key_events.labels
        pair = self._pairs.setdefault(known, (labels(*known, "accepted"), labels(*known, "refused")))
        return pair

    def turned_away(self, code: str) -> None:
        """A whole request got nowhere; how many events it held is not known."""
        self._codes.labels(code).inc()

    def unknown(self, family: str) -> None:
        """A path was asked for that is not there."""
        self._unknown.labels(family).inc()
