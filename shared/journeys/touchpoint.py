"""A touchpoint as the rules see it: cheap to make, what stands in its record read only when a rule asks for it."""

from typing import Any

import msgspec

from shared.events import Record
from shared.touch.agent import Device
from shared.touch.told import Teller, Telling

Object = dict[str, Any]

_decode = msgspec.json.Decoder(Object).decode


class Touchpoint(msgspec.Struct, gc=False, eq=False):
    """One record of one customer.

    `at` is its corrected and `recorded` its recorded time, in microseconds. What is `excluded` counts for nothing
    (rule 44). Reading `properties`, `context` or `traits` raises msgspec.DecodeError if what was accepted is not a
    JSON object, and so do `telling` and `device`, which remember what one teller says.
    """

    at: int
    id: str
    type: str
    name: str | None
    recorded: int
    excluded: bool
    record: Record
    read_properties: Object | None = None
    read_context: Object | None = None
    read_traits: Object | None = None
    read_telling: Telling | None = None
    read_device: Device | None = None

    @classmethod
    def of(cls, record: Record, recorded: int | None = None) -> "Touchpoint":
        """The touchpoint of a record; `recorded` is its recorded time where rule 31 has raised it."""
        return cls(
            record.at,
            record.id,
            record.type,
            record.name,
            record.received if recorded is None else recorded,
            record.excluded,
            record,
        )

    @property
    def properties(self) -> Object:
        if self.read_properties is None:
            self.read_properties = _decode(self.record.properties)
        return self.read_properties

    @property
    def context(self) -> Object:
        if self.read_context is None:
            self.read_context = _decode(self.record.context)
        return self.read_context

    @property
    def traits(self) -> Object:
        if self.read_traits is None:
            self.read_traits = _decode(self.record.traits)
        return self.read_traits

    def telling(self, teller: Teller) -> Telling:
        """What the tables say of it."""
        if self.read_telling is None:
            parts = {"properties": self.properties, "context": self.context, "traits": self.traits}
            self.read_telling = Telling(teller, self.type, self.name, parts)
        return self.read_telling

    def device(self, teller: Teller) -> Device:
        """What it was done with."""
        if self.read_device is None:
            seen = self.record.seen
            self.read_device = teller.devices.device(self.context, None if seen is None else seen.agent)
        return self.read_device
