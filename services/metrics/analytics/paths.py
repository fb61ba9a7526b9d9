"""Paths as they are told: what follows what, whole sequences, what comes again, and the steps around something."""

from dataclasses import dataclass

import numpy as np

from services.metrics.analytics.breakdown import OTHER
from services.metrics.analytics.columns import Codes, Columns, Ints, Mask
from services.metrics.analytics.intervals import Share, share
from services.metrics.analytics.kernels import paths
from services.metrics.analytics.kernels.stays import Moves
from shared.touch.text import fold


@dataclass(frozen=True)
class Walks:
    """Sequences: rows of one `group` (a customer, or a visit) lie together, in order; `code` is a place in `names`."""

    owner: Ints
    group: Ints
    at: Ints
    code: Codes
    names: tuple[str, ...]

    def of(self, mask: Mask) -> "Walks":
        """Only these rows."""
        return Walks(self.owner[mask], self.group[mask], self.at[mask], self.code[mask], self.names)

    @property
    def count(self) -> int:
        """How many sequences there are."""
        return int((self.group[1:] != self.group[:-1]).sum()) + 1 if len(self.group) else 0

    def number(self, name: str) -> int:
        """The code of a name, compared as journeys compare (rule 5); −1 if nobody has it."""
        folded = fold(name)
        return next((number for number, one in enumerate(self.names) if fold(one) == folded), -1)


@dataclass(frozen=True)
class Pair:
    """That `second` comes directly after `first`, so often; gaps in microseconds."""

    first: str
    second: str
    count: int
    median: float
    mean: float


@dataclass(frozen=True)
class Variant:
    """A whole sequence, or its beginning if there is `more`, and how many sequences are this one."""

    steps: list[str]
    more: bool
    share: Share


@dataclass(frozen=True)
class Node:
    """How many sequences have something at a place; `name` is None where they have ended (or not begun)."""

    step: int
    name: str | None
    count: int


@dataclass(frozen=True)
class Link:
    """How many go from something at `step` to something at the next step."""

    step: int
    source: str | None
    target: str | None
    count: int


@dataclass(frozen=True)
class Flow:
    """What Sankey diagrams are drawn from. The links into a node that has a name, and out of it, add up to it."""

    count: int
    nodes: list[Node]
    links: list[Link]


def over_names(columns: Columns, rows: Ints, gap: int | None) -> Walks:
    """These rows by name, equal spellings as one; without a name by type. By visits if there is a gap."""
    words, kinds = columns.words["name"], columns.words["type"]
    numbers: dict[str, int] = {}
    spelt: list[str] = []
    for word in words:
        if numbers.setdefault(fold(word), len(spelt)) == len(spelt):
            spelt.append(word)
    of_word = np.array([numbers[fold(word)] for word in words] or [0], dtype=np.int32)
    name, kind = columns.codes["name"][rows], columns.codes["type"][rows]
    code = np.where(name >= 0, of_word[name], len(spelt) + kind).astype(np.int32)
    owner, at = columns.owner[rows], columns.at[rows]
    group = owner if gap is None else paths.visits(owner, at, gap)
    return Walks(owner, group, at, code, (*spelt, *(f"({kind})" for kind in kinds)))


def over_stages(moves: Moves, names: dict[int, str]) -> Walks:
    """The stages entered, `none` among them; `names` are by number."""
    numbers = sorted(names)  # −1, `none`, is the first
    code = (moves.target - numbers[0]).astype(np.int32)
    return Walks(moves.owner, moves.owner, moves.at, code, tuple(names[number] for number in numbers))


def follows(walks: Walks, most: int) -> list[Pair]:
    """The pairs, the most frequent first."""
    found, names = paths.follows(walks.group, walks.at, walks.code, most), walks.names
    lines = zip(found.first, found.second, found.count, found.median, found.mean, strict=True)
    return [Pair(names[a], names[b], int(count), float(median), float(mean)) for a, b, count, median, mean in lines]


def variants(walks: Walks, most: int) -> list[Variant]:
    """Whole sequences, the most frequent first."""
    found, total = paths.variants(walks.group, walks.code, most), walks.count
    return [
        Variant([walks.names[code] for code in codes], more, share(count, total))
        for codes, more, count in zip(found.codes, found.cut, found.count, strict=True)
    ]


def loops(walks: Walks, most: int) -> list[tuple[str, Share]]:
    """What comes again with something else between, and in how many sequences, the most frequent first."""
    codes, count = paths.loops(walks.group, walks.code)
    order = np.argsort(-count, kind="stable")[:most]
    return [(walks.names[codes[i]], share(int(count[i]), walks.count)) for i in order]


def beginning(walks: Walks, steps: int, top: int) -> Flow:
    """The first steps, counted from 1; names that are not among the `top` are one."""
    table = paths.beginning(walks.group, walks.code, steps)
    return _flow(table, list(range(1, steps + 1)), walks.names, top, None)


def around(walks: Walks, pivot: int, steps: int, top: int, *, after: bool) -> Flow:
    """The steps after the first (before the last) `pivot` of each sequence that has one; the pivot is step 0."""
    if pivot < 0:
        return Flow(0, [], [])
    table = paths.around(walks.group, walks.code, pivot, steps, after=after)
    table = np.insert(table, 0, pivot, axis=1)
    if after:
        return _flow(table, list(range(steps + 1)), walks.names, top, pivot)
    return _flow(table[:, ::-1], list(range(-steps, 1)), walks.names, top, pivot)


def _flow(table: Ints, places: list[int], names: tuple[str, ...], top: int, pivot: int | None) -> Flow:
    count = np.bincount(table[table >= 0], minlength=len(names))
    named = {int(code) for code in np.argsort(-count, kind="stable")[:top] if count[code]}
    kept = sorted(named | ({pivot} if pivot is not None else set()))
    labels: list[str | None] = [None, *(names[code] for code in kept), OTHER]
    number = np.full(len(names) + 1, len(kept) + 1)
    number[kept] = np.arange(1, len(kept) + 1)
    number[-1] = 0  # stands for −1
    table, width = number[table], len(labels)
    nodes, links = [], []
    for column, step in enumerate(places):
        of_each = np.bincount(table[:, column], minlength=width)
        nodes += [Node(step, labels[code], int(of_each[code])) for code in np.flatnonzero(of_each)]
        if column + 1 < len(places):
            of_each = np.bincount(table[:, column] * width + table[:, column + 1], minlength=width * width)
            pairs = [pair for pair in np.flatnonzero(of_each) if pair]  # 0: it had ended already
            links += [Link(step, labels[pair // width], labels[pair % width], int(of_each[pair])) for pair in pairs]
    return Flow(len(table), nodes, sorted(links, key=lambda link: (link.step, -link.count)))
