"""The protocols that are spoken, in the order in which a path is offered to them: the first that knows it has it."""

from services.ingest.protocols import jitsu, posthog, rudder, segment
from services.ingest.protocols.port import Protocol

PROTOCOLS: tuple[Protocol, ...] = (segment.PROTOCOL, rudder.PROTOCOL, jitsu.PROTOCOL, posthog.PROTOCOL)
