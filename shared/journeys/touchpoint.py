"""A touchpoint as the rules see it: cheap to make, its JSON parsed only when a rule reads it."""

from typing import Any

import msgspec

from shared.events import EMPTY, Record

Object = dict[str, Any]

_decode = msgspec.json.Decoder(Object).decode


class Touchpoint(msgspec.Struct, gc=False, eq=False):
    """One record of one customer.

    `at` is its corrected and `recorded` its recorded time, in microseconds. What is `excluded` counts for nothing
    (rule 44). Reading `properties`, `context` or `traits` raises msgspec.DecodeError if what was accepted is not a
    JSON object.
    """

    at: int
    id: str
    type: str
    name: str | None = None
    recorded: int = 0
    raw_properties: msgspec.Raw = EMPTY
    raw_context: msgspec.Raw = EMPTY
    raw_traits: msgspec.Raw = EMPTY
    excluded: bool = False
    parsed_properties: Object | None = None
    parsed_context: Object | None = None
    parsed_traits: Object | None = None

    @classmethod
    def of(cls, record: Record, recorded: int | None = None) -> "Touchpoint":
        """The touchpoint of a record; `recorded` is its recorded time where rule 31 has raised it."""
        return cls(
            record.at,
            record.id,
            record.type,
            record.name,
            record.received if recorded is None else recorded,
            record.properties,
            record.context,
            record.traits,
            record.excluded,
        )

    @property
    def properties(self) -> Object:
        if self.parsed_properties is None:
            self.parsed_properties = _decode(self.raw_properties)
        return self.parsed_properties

    @property
    def context(self) -> Object:
        if self.parsed_context is None:
            self.parsed_context = _decode(self.raw_context)
        return self.parsed_context

    @property
    def traits(self) -> Object:
        if self.parsed_traits is None:
            self.parsed_traits = _decode(self.raw_traits)
        return self.parsed_traits
