"""Movements as they are told: how many, by period and stage, and who is behind each number."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from services.metrics.analytics.columns import Ints, Mask
from services.metrics.analytics.kernels import movements as kernel
from services.metrics.analytics.kernels.stays import Moves

Kind = Literal["new", "leaving", "back", "skipped", "looped"]

#: Of `back` entries of one stage in one period, from so many on a customer has looped.
LOOP = 2


@dataclass(frozen=True)
class Told:
    """By period and stage, how many there are of each kind; by period, who joined the journey."""

    of: dict[Kind, Ints]
    joined: Ints


class People(NamedTuple):
    """Customers, each once, by their numbers as owners: when (µs) it was last, and how often."""

    owner: Ints
    at: Ints
    times: Ints


def told(moves: Moves, ordered: int, stages: int, period: Ints, periods: int) -> Told:
    """`period` is the number of each move's period, −1 for none; the first `ordered` stages are in order."""
    marked, shape = kernel.marked(moves, ordered), (periods, stages)
    entered, left = moves.target, moves.source
    of: dict[Kind, Ints] = {
        "new": kernel.entries(marked.new, entered, period, shape),
        "leaving": kernel.customers(moves, marked.leaving, left, period, shape),
        "back": kernel.entries(marked.back, entered, period, shape),
        "skipped": kernel.entries(marked.skipped, entered, period, shape),
        "looped": kernel.customers(moves, marked.back, entered, period, shape, LOOP),
    }
    joined = kernel.entries(marked.joined, np.zeros_like(entered), period, (periods, 1))
    return Told(of, joined[:, 0])


def behind(moves: Moves, ordered: int, kind: Kind, stage: int, inside: Mask) -> People:
    """Whose movements of this kind, among the moves `inside`, those of a stage are."""
    marked = kernel.marked(moves, ordered)
    if kind == "leaving":
        return people(moves, marked.leaving & (moves.source == stage) & inside)
    of = {"new": marked.new, "skipped": marked.skipped}.get(kind, marked.back)
    return people(moves, of & (moves.target == stage) & inside, LOOP if kind == "looped" else 1)


def people(moves: Moves, wanted: Mask, least: int = 1) -> People:
    """Whose these moves are, of those who made `least` or more of them."""
    rows = np.flatnonzero(wanted)
    owner, begins, times = np.unique(moves.owner[rows], return_index=True, return_counts=True)
    last = moves.at[rows[begins + times - 1]] if len(rows) else np.zeros(0, dtype=np.int64)
    enough = times >= least
    return People(owner[enough], last[enough], times[enough])
