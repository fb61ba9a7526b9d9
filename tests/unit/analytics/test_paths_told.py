"""Paths as they are told, as walked by hand."""

from collections import Counter
from itertools import groupby, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.analytics import paths
from tests.unit.analytics.brute import NAMES, Act, columns, histories


def _walks(acts: list[Act]) -> paths.Walks:
    made = columns(acts)
    return paths.Walks(made.owner, made.owner, made.at, made.codes["name"], NAMES)


def _whole(acts: list[Act]) -> list[list[str]]:
    return [[act.name for act in mine] for _, mine in groupby(acts, key=lambda act: act.owner)]


def _hold(flow: paths.Flow, lines: list[list[str | None]], places: list[int]) -> None:
    """Nodes and links are those of these lines, one for each sequence."""
    assert flow.count == len(lines)
    nodes = Counter((step, name) for line in lines for step, name in zip(places, line, strict=True))
    assert {(one.step, one.name): one.count for one in flow.nodes} == nodes
    links = Counter((step, *pair) for line in lines for step, pair in zip(places, pairwise(line), strict=False))
    told = {(one.step, one.source, one.target): one.count for one in flow.links}
    assert told == {link: count for link, count in links.items() if link[1:] != (None, None)}


@given(histories(), st.integers(1, 4))
def test_steps_from_the_beginning(acts: list[Act], steps: int) -> None:
    """Each customer's first ones; what has ended has no name."""
    lines = [[*whole, *[None] * steps][:steps] for whole in _whole(acts)]
    _hold(paths.beginning(_walks(acts), steps, 10), lines, list(range(1, steps + 1)))


@given(histories(), st.integers(1, 4))
def test_steps_after_the_first_and_before_the_last(acts: list[Act], steps: int) -> None:
    """Of those who have it at all."""
    after = [
        ["a", *whole[whole.index("a") + 1 :], *[None] * steps][: steps + 1] for whole in _whole(acts) if "a" in whole
    ]
    _hold(paths.around(_walks(acts), 0, steps, 10, after=True), after, list(range(steps + 1)))
    before = [
        ["a", *whole[::-1][whole[::-1].index("a") + 1 :], *[None] * steps][: steps + 1][::-1]
        for whole in _whole(acts)
        if "a" in whole
    ]
    _hold(paths.around(_walks(acts), 0, steps, 10, after=False), before, list(range(-steps, 1)))


@given(histories())
def test_rare_names_are_one(acts: list[Act]) -> None:
    """The most frequent name keeps its own; all others are counted together."""
    walks = _walks(acts)
    whole, thin = paths.beginning(walks, 20, 10), paths.beginning(walks, 20, 1)
    total = Counter(act.name for act in acts)
    named = {one.name for one in thin.nodes} - {"other", None}
    assert len(named) <= 1
    assert all(total[name or ""] == max(total.values()) for name in named)
    for step in range(1, 21):
        own = {one.name: one.count for one in whole.nodes if one.step == step}
        told = {one.name: one.count for one in thin.nodes if one.step == step}
        rest = sum(count for name, count in own.items() if name not in {*named, None})
        assert told.get("other", 0) == rest
        assert all(told.get(name, 0) == own.get(name, 0) for name in {*named, None})


@given(histories())
def test_shares_are_of_all_sequences(acts: list[Act]) -> None:
    """Of customers, also of those who are in no line."""
    walks = _walks(acts)
    sequences = len({act.owner for act in acts})
    assert walks.count == sequences
    assert sum(one.share.part for one in paths.variants(walks, 100)) == sequences
    assert {one.share.whole for one in paths.variants(walks, 100)} <= {sequences}
    assert {share.whole for _, share in paths.loops(walks, 100)} <= {sequences}
    assert sum(one.count for one in paths.follows(walks, 100)) == len(acts) - sequences


def test_equal_spellings_are_one_name() -> None:
    """As journeys compare them; a touchpoint without a name is told by its type."""
    made = columns([Act(0, 0, "a"), Act(0, 1, "b"), Act(0, 2, "c")])
    codes = {"name": np.array([0, 1, -1], dtype=np.int32), "type": np.zeros(3, dtype=np.int32)}
    words = {"name": ("Home", " HOME "), "type": ("identify",)}
    again = type(made)(made.customers, made.owner, made.at, codes, words)
    walks = paths.over_names(again, np.arange(3), None)
    assert [walks.names[code] for code in walks.code] == ["Home", "Home", "(identify)"]
    assert (walks.number("home"), walks.number("nothing")) == (0, -1)


def test_around_what_nobody_has_there_is_nothing() -> None:
    """Also where nobody has anything."""
    none = np.zeros(0, dtype=np.int64)
    for walks in (_walks([Act(0, 0, "a")]), paths.Walks(none, none, none, none.astype(np.int32), ())):
        assert paths.around(walks, walks.number("nothing"), 3, 10, after=True) == paths.Flow(0, [], [])
