"""Paths as walked by hand."""

from collections import Counter, defaultdict
from itertools import groupby, pairwise
from statistics import mean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.analytics.kernels import paths
from tests.unit.analytics.brute import NAMES, Act, columns, histories


@given(histories(), st.integers(0, 5))
def test_a_visit_ends_with_a_gap_longer_than_the_limit(acts: list[Act], gap: int) -> None:
    """A gap equal to the limit does not end it; another customer does."""
    made = columns(acts)
    number, expected = -1, []
    for before, act in pairwise([Act(-1, 0, ""), *acts]):
        number += before.owner != act.owner or act.at - before.at > gap
        expected.append(number)
    assert paths.visits(made.owner, made.at, gap).tolist() == expected


@given(histories())
def test_directly_follows_counts_neighbours_of_one_customer(acts: list[Act]) -> None:
    """Each pair with its number, and the median and mean of its gaps."""
    made, gaps = columns(acts), defaultdict(list)
    for first, second in pairwise(acts):
        if first.owner == second.owner:
            gaps[first.name, second.name].append(second.at - first.at)
    found = paths.follows(made.owner, made.at, made.codes["name"], 100)
    got = {
        (NAMES[first], NAMES[second]): (count, middle, average)
        for first, second, count, middle, average in zip(
            found.first, found.second, found.count, found.median, found.mean, strict=True
        )
    }
    assert got == {pair: (len(all_), median(all_), pytest.approx(mean(all_))) for pair, all_ in gaps.items()}
    wide = paths.follows(made.owner, made.at, made.codes["name"] * 1000, 2)
    assert (wide.first // 1000).tolist() == found.first[:2].tolist()
    assert (wide.count.tolist(), wide.median.tolist()) == (found.count[:2].tolist(), found.median[:2].tolist())
    assert found.count.tolist() == sorted(found.count.tolist(), reverse=True)


@given(histories())
def test_variants_count_each_customer_once(acts: list[Act]) -> None:
    """The most frequent first; equal ones by their codes."""
    made = columns(acts)
    whole = Counter(
        tuple(NAMES.index(act.name) for act in mine) for _, mine in groupby(acts, key=lambda act: act.owner)
    )
    found = paths.variants(made.owner, made.codes["name"], 10)
    assert dict(zip(found.codes, found.count, strict=True)) == whole
    assert found.count == sorted(found.count, reverse=True)
    assert not any(found.cut)


def test_a_long_variant_is_cut() -> None:
    """Twenty steps are told, and that there were more."""
    acts = [Act(0, at, "a") for at in range(25)]
    found = paths.variants(columns(acts).owner, columns(acts).codes["name"], 1)
    assert (len(found.codes[0]), found.cut, found.count) == (20, [True], [1])


@given(histories(), st.booleans())
def test_around_tells_what_comes_after_the_first_or_before_the_last(acts: list[Act], after: bool) -> None:
    """Each customer who has the pivot has a line; what is beyond their history is −1."""
    made, expected = columns(acts), []
    for _, group in groupby(acts, key=lambda act: act.owner):
        codes = [NAMES.index(act.name) for act in group]
        if 0 in codes:
            seen = codes[codes.index(0) + 1 :] if after else codes[: len(codes) - 1 - codes[::-1].index(0)][::-1]
            expected.append([*seen, -1, -1, -1][:3])
    assert paths.around(made.owner, made.codes["name"], 0, 3, after=after).tolist() == expected


@given(histories())
def test_beginnings_and_loops(acts: list[Act]) -> None:
    """The first codes of each customer; a loop needs another name between."""
    made, table, looped = columns(acts), [], Counter[int]()
    for _, group in groupby(acts, key=lambda act: act.owner):
        codes = [NAMES.index(act.name) for act in group]
        table.append([*codes, -1, -1, -1][:3])
        runs = Counter(code for code, _ in groupby(codes))
        looped.update(code for code, count in runs.items() if count > 1)
    assert paths.beginning(made.owner, made.codes["name"], 3).tolist() == table
    assert dict(zip(*(part.tolist() for part in paths.loops(made.owner, made.codes["name"])), strict=True)) == looped
