"""The oracle keeps to every golden case, and the cases to every numbered decision of the page."""

from collections.abc import Sequence
from datetime import date

import pytest

from tests import oracle
from tests.golden.cases import (
    Case,
    Clock,
    Customers,
    ExpectedCustomer,
    ExpectedMove,
    Known,
    Ledger,
    Moves,
    Recorded,
    Refused,
    StageNow,
    Text,
    load,
    read,
)
from tests.golden.reading import MistypedError

CASES = load()
RULES = set(range(1, 59))


def moved(moves: Sequence[oracle.Move | ExpectedMove]) -> list[tuple[int, str | None, str, bool]]:
    """Moves in a form in which the oracle's and a case's are compared."""
    return [(move.at, move.source, move.target, move.timer) for move in moves]


def end(instant: int | date, zone: str) -> int:
    """An instant, or the end of the day that a date stands for."""
    return oracle.end_of_day(instant, zone) if isinstance(instant, date) else instant


def is_expected(customer: oracle.Customer, expected: ExpectedCustomer) -> bool:
    """Whether a customer is one that a case expects, its moves aside."""
    return [one["id"] for one in customer.touchpoints] == expected.touchpoints and (
        expected.identifiers is None or customer.identifiers == expected.identifiers
    )


def check_customers(case: Customers) -> None:
    """Fail unless the customers are those that the case expects, in whatever order."""
    found = oracle.customers(case.touchpoints, case.join)
    for expected in case.customers:
        alike = [customer for customer in found if is_expected(customer, expected)]
        assert alike, f"{expected} is not among {found}"
        found.remove(alike[0])
        if expected.moves is not None:
            assert case.definition is not None
            assert case.now is not None
            made = oracle.derive(case.definition, alike[0].touchpoints, case.now)
            assert moved(made) == moved(expected.moves)
    assert not found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_oracle(case: Case) -> None:
    """The oracle says what the case says."""
    match case.body:
        case Moves(definition, touchpoints, now, zone, moves):
            assert moved(oracle.derive(definition, touchpoints, now, zone)) == moved(moves)
        case StageNow(definition, touchpoints, now, zone, held):
            assert oracle.stage(definition, touchpoints, now, zone) == held
        case Customers() as customers:
            check_customers(customers)
        case Known(definition, touchpoints, zone, rows):
            for at, known_at, held in rows:
                then = oracle.known(definition, touchpoints, end(at, zone), end(known_at, zone))
                assert then == held, (at, known_at)
        case Ledger(definition, touchpoints, now, pages):
            found = [(known_at, moved(moves)) for known_at, moves in oracle.ledger(definition, touchpoints, now)]
            assert found == [(known_at, moved(moves)) for known_at, moves in pages]
        case Clock(received, sent, timestamp, t, clamped):
            assert oracle.corrected(received, sent, timestamp) == (t, clamped)
        case Recorded(received, recorded):
            assert oracle.recorded(received) == recorded
        case Text(left, right, same):
            assert (oracle.fold(left) == oracle.fold(right)) is same
        case Refused(definition):
            assert oracle.faults(definition)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_definitions_are_well_typed(case: Case) -> None:
    """Every definition of a case is taken, unless the case is that it is refused for one reason."""
    definition = getattr(case.body, "definition", None)
    if definition is not None:
        assert len(oracle.faults(definition)) == isinstance(case.body, Refused), oracle.faults(definition)


def test_every_decision_has_a_case() -> None:
    """The page's numbered decisions and the cases' are the same."""
    assert {case.rule for case in CASES} == RULES


def test_cases_have_names_of_their_own() -> None:
    """No two cases state one fact."""
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)


GOOD = """
definitions: {d: {journey: d, stages: [{stage: s, enter: {touchpoint: {}}}]}}
cases:
  - name: A fact
    rule: 1
    definition: d
    touchpoints: [{at: +1h, id: a, page: Home}]
    now: +2h
    expect: {moves: [[+1h, absent, s, touchpoint]]}
"""


def test_a_good_file_is_read() -> None:
    """The file that the next test spoils is good."""
    (case,) = read("good.yaml", GOOD)
    assert case.body.__class__ is Moves


@pytest.mark.parametrize(
    ("written", "mistyped"),
    [
        ("cases:", "casses:"),
        ("definitions:", "definition:"),
        ("rule: 1", "rul: 1"),
        ("now: +2h", "now: +2h\n    then: +3h"),
        ("now: +2h", "now: +2h\n    now: +3h"),
        ("now: +2h", "now: 2h"),
        ("now: +2h", "now: 2026-01-01T00:00:00"),
        ("now: +2h", ""),
        ("definition: d\n", "definition: e\n"),
        ("page: Home", "pgae: Home"),
        ("page: Home", "page: Home, track: Home"),
        ("page: Home", "page: Home, propertys: {}"),
        ("page: Home", "identify: Home"),
        ("id: a", "id: 1"),
        ("moves:", "mvoes:"),
        ("s, touchpoint]", "s, tuochpoint]"),
        ("[+1h, absent, s, touchpoint]", "[+1h, absent, s]"),
        ("{moves:", "{stage: s, moves:"),
    ],
)
def test_a_mistyped_file_is_refused(written: str, mistyped: str) -> None:
    """Nothing mistyped in a golden file is passed over."""
    assert written in GOOD
    with pytest.raises(MistypedError):
        read("bad.yaml", GOOD.replace(written, mistyped))
