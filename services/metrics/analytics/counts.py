"""Who stands where at an instant, and by what they differ (docs/definitions.md, 5 and 8)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from services.metrics.analytics import breakdown, traits
from services.metrics.analytics.breakdown import Groups, Moment
from services.metrics.analytics.columns import Columns, Ints, Mask
from services.metrics.analytics.kernels.stays import Moves
from services.metrics.analytics.traits import Valued
from shared.journeys.model import Persona
from shared.journeys.state import NONE

PERSONA, TRAIT = "persona", "trait:"


class Standing(NamedTuple):
    """Customers by their numbers as owners, each once: the stage that they are in, `none` included, and since when."""

    owner: Ints
    stage: Ints
    since: Ints


class Dimension(NamedTuple):
    """What customers are told apart by: a column, `persona`, or `trait:` and a name; and of which touchpoint.

    Personas and traits are always as of the instant that is looked at. `personas` are the journey's.
    """

    name: str
    moment: Moment
    personas: Sequence[Persona] = ()


class Cell(NamedTuple):
    """Those with one combination of values: how many stand in each stage, `none` last."""

    values: tuple[str, ...]
    stages: list[int]


def standing(moves: Moves, until: int) -> Standing:
    """Who stood where at an instant, inclusive."""
    rows = np.flatnonzero(moves.at <= until)
    owner = moves.owner[rows]
    last = np.ones(len(rows), dtype=np.bool_)
    last[:-1] = owner[1:] != owner[:-1]
    rows = rows[last]
    rows = rows[moves.target[rows] >= NONE]
    return Standing(moves.owner[rows], moves.target[rows], moves.at[rows])


def valued(columns: Columns, by: Dimension, who: Standing, until: int) -> Valued:
    """The value of each of those standing at an instant, in their order."""
    if by.name == PERSONA:
        found = traits.persona(columns, by.personas, until)
        return Valued(found.codes[who.owner], found.values)
    if by.name.startswith(TRAIT):
        found = traits.words(traits.trait(columns, by.name.removeprefix(TRAIT), until))
        return Valued(found.codes[who.owner], found.values)
    if by.moment == "entered":
        codes = breakdown.entered(columns, by.name, who.owner, who.since)
    elif by.moment == "latest":
        codes = breakdown.latest(columns, by.name, until)[who.owner]
    else:
        codes = breakdown.acquired(columns, by.name)[who.owner]
    return Valued(codes, columns.words[by.name])


def named(found: Sequence[Valued]) -> tuple[list[Ints], tuple[str, ...]]:
    """The groups of one dimension at several instants, the same ones at all of them: numbers, and the groups' names."""
    numbers = dict[str, int]()
    codes = list[Ints]()
    for one in found:  # a trait's values are numbered at each instant anew
        table = np.array([*(numbers.setdefault(str(word), len(numbers)) for word in one.values), -1], dtype=np.int64)
        codes.append(table[one.codes])
    groups: Groups = breakdown.groups(np.concatenate(codes), tuple(numbers))
    ends = np.cumsum([len(one) for one in codes])
    return np.split(groups.group, ends[:-1]), groups.names


def cells(who: Standing, groups: Sequence[Ints], names: Sequence[tuple[str, ...]], stages: int) -> list[Cell]:
    """How many of each combination of groups stand in each of so many stages; combinations of nobody are left out."""
    place = np.zeros(len(who.owner), dtype=np.int64)
    for group, words in zip(groups, names, strict=True):
        place = place * len(words) + group
    column = np.where(who.stage == NONE, stages, who.stage)
    combined, counts = np.unique(place * (stages + 1) + column, return_counts=True)
    found = dict[int, list[int]]()
    for key, count in zip(combined.tolist(), counts.tolist(), strict=True):
        found.setdefault(key // (stages + 1), [0] * (stages + 1))[key % (stages + 1)] = count
    return [Cell(_values(key, names), line) for key, line in found.items()]


def having(found: Valued, value: str) -> Mask:
    """Who has a value, whether it is one that is named or not; `unknown` and `other` are as `named` groups them."""
    (group,), names = named([found])
    wanted = [number for number, name in enumerate(names) if name == value]
    exact = np.array([*(str(word) == value for word in found.values), False], dtype=np.bool_)
    return np.isin(group, wanted) | exact[found.codes]


def _values(key: int, names: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    values = list[str]()
    for words in reversed(names):
        key, number = divmod(key, len(words))
        values.append(words[number])
    return tuple(reversed(values))
