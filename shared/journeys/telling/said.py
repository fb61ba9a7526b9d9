"""What is told, before it is in any language: phrases by their keys, with what stands in their slots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, NamedTuple, Union

#: The word that joins several.
Join = Literal["and", "or", "then"]


class Quoted(NamedTuple):
    """A text as somebody wrote it, in quotation marks."""

    text: str


class Term(NamedTuple):
    """The path of a property, the name of a trait: as it is written, without quotation marks."""

    text: str


class Role(NamedTuple):
    """A role by its name; those that come with Milepost have words of their own in every language."""

    name: str


class Stage(NamedTuple):
    """A stage by its name, told by its title; also `none`."""

    name: str


class Span(NamedTuple):
    """A duration in microseconds."""

    duration: int


class Instant(NamedTuple):
    """Microseconds since the Unix epoch."""

    at: int


class Listed(NamedTuple):
    """Several, joined by a word."""

    members: "tuple[Said, ...]"
    by: Join


@dataclass(frozen=True, slots=True)
class Telling:
    """A phrase by its key in every language's words, and what stands in its slots; None leaves a slot empty.

    The plural form of a phrase is that of the whole number in its slot `n`.
    """

    key: str
    slots: Mapping[str, "Said"] = field(default_factory=dict)


Said = Union[Telling, Quoted, Term, Role, Stage, Span, Instant, Listed, int, float, Decimal, None]  # noqa: UP007 — it names itself


def value(found: object) -> Said:
    """A value of a touchpoint or of a customer's traits, None where there is none."""
    if isinstance(found, str):
        return Quoted(found)
    if isinstance(found, bool):
        return Telling("true" if found else "false")
    if isinstance(found, int | float):
        return found
    return Telling("nothing" if found is None else "something")


def listed(members: Sequence[Said], by: Join) -> "Said":
    """Several joined by a word; one stands alone, and none says nothing."""
    if not members:
        return None
    return members[0] if len(members) == 1 else Listed(tuple(members), by)
