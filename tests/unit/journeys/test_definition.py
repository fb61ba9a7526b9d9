"""Definitions: what is read, and how faults are told."""

from typing import Any

import pytest

from shared.events import DAY
from shared.journeys.conditions.quiet import Quiet
from shared.journeys.definition import DefinitionError, load, parse

GOOD = """\
journey: shop
title: {en: Shop, fa: فروشگاه}
stages:
  - stage: visitor
    enter: {touchpoint: {type: page}}
  - stage: buyer
    title: Buyers
    means: converted
    enter: {touchpoint: {role: purchase}}
side:
  - stage: churned
    means: churned
    from: [buyer]
    enter: {quiet: 90d}
    return: {on: activity, to: highest}
exit: {from: [buyer], enter: {touchpoint: {name: Account Deleted}}}
"""


def problems(text: str) -> list[str]:
    """Every problem of a definition as it is told."""
    with pytest.raises(DefinitionError) as caught:
        load(text)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(problem) for problem in caught.value.problems]


def test_load() -> None:
    """Everything that a definition says is in the model."""
    shop = load(GOOD)
    visitor, buyer, churned = shop.stages
    assert (shop.name, shop.ordered, shop.numbers()["none"]) == ("shop", 2, -1)
    assert (shop.title.text("fa"), shop.title.text("ar"), visitor.title.text()) == ("فروشگاه", "Shop", "visitor")
    assert (buyer.title.text("fa"), buyer.means, buyer.origins) == ("Buyers", "converted", None)
    assert (churned.side, churned.origins, churned.back) == (True, frozenset({"buyer"}), "highest")
    assert churned.enter == Quiet(90 * DAY)
    assert shop.exit is not None
    assert shop.exit.origins == {"buyer"}


def test_every_problem_at_once() -> None:
    """All problems are told together, each with its line, path and remedy."""
    text = GOOD.replace("{type: page}", "{tpye: page}").replace("90d", "90").replace("to: highest", "to: hihgest")
    text = text.replace("role: purchase", "role: purchas").replace(
        "from: [buyer]\n    enter", "from: [byer]\n    enter"
    )
    assert problems(text) == [
        "line 5, column 26, stages[0].enter.touchpoint: unknown key 'tpye' — did you mean type?",
        "line 9, column 26, stages[1].enter.touchpoint.role: there is no role 'purchas' — did you mean purchase? "
        "Or bind it under roles:",
        "line 13, column 12, side[0].from[0]: there is no stage 'byer' — did you mean buyer?",
        "line 14, column 13, side[0].enter.quiet: 90 is not a duration — write one such as 90s, 15m, 12h, 30d or 4w",
        "line 15, column 28, side[0].return.to: unknown value 'hihgest' — did you mean highest?",
    ]


def enter(condition: str) -> str:
    """A definition with this `enter`."""
    return f"journey: test\nstages:\n  - stage: a\n    enter: {condition}\n"


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (
            "{count: {of: {}, atleast: 2}}",
            ["the comparison is missing", "enter.count: unknown key 'atleast' — did you mean at_least?"],
        ),
        ("{count: {at_least: 2}}", ["enter.count: 'of' is missing — add of:"]),
        ("{count: {of: {}, at_least: 2, at_most: 3}}", ["at_least and at_most stand side by side"]),
        ("{count: {of: {}, at_least: 1.5}}", ["at_least: 1.5 is not a whole number"]),
        ("{count: {of: {}, at_least: -1}}", ["-1 is not a whole number"]),
        ("{count: {of: {}, within: 7d, at_least: 5000}}", ["it compares with 5,000, and 1,000 are kept"]),
        ("{distinct: {of: {}, property: p, exactly: 1001}}", ["it compares with 1,001, and 1,000 are kept"]),
        ("{sequence: {steps: [{}]}}", ["it has 1 step, and from 2 to 10 are allowed"]),
        (f"{{sequence: {{steps: [{', '.join(['{}'] * 11)}]}}}}", ["it has 11 steps, and from 2 to 10 are allowed"]),
        ("{sequence: {steps: [{}, {}], since: visit}}", ["enter.sequence.since: unknown value 'visit'"]),
        ("{score: {at_least: 1}}", ["enter.score: it gives no points"]),
        (
            "{score: {of: [{touchpoint: {}, points: 1}], exactly: 1}}",
            ["comparison is missing", "unknown key 'exactly'"],
        ),
        ("{score: {of: [{touchpoint: {}, points: 1.0001}], at_least: 1}}", ["1.0001 has more than three places"]),
        ("{score: {of: [{touchpoint: {}, points: 1, cap: -1}], at_least: 1}}", ["-1 is no cap"]),
        (
            f"{{score: {{of: [{', '.join(['{touchpoint: {}, points: 1}'] * 21)}], at_least: 1}}}}",
            ["it has 21 entries, and 20 are allowed"],
        ),
        ("{trait: {plan: {starts_with: 5}}}", ["5 is not a text"]),
        ("{trait: {plan: {ends_with: []}}}", ["the list is empty"]),
        ("{trait: {plan: {contains: ''}}}", ["'' is not a text"]),
        ('{trait: {plan: {contains: "\\u200c"}}}', ["nothing of '\\u200c' counts when texts are compared"]),
        ("{trait: {plan: {not: {}}}}", ["the predicate is empty"]),
        (
            "{trait: {plan: {not: {is: 1}, at_least: x}}}",
            ["unknown key 'is'", "'x' is neither a number nor an instant"],
        ),
        ("{trait: {due: {at_least: 2026-02-30}}}", ["is neither a number nor an instant — write a number without"]),
        ("{touchpoint: {channel: {}, country: ~}}", ["the predicate is empty", "nothing is nothing that a value"]),
        ("{some: {of: [{quiet: 1d}], at_least: 2}}", ["some.at_least: 2 is not from 1 to 1"]),
        ("{some: {of: [{quiet: 1d}], at_least: 0}}", ["0 is not from 1 to 1"]),
        ("{some: {of: [{quiet: x}], at_least: 1.5}}", ["'x' is not a duration", "1.5 is not a whole number"]),
        ("{some: [{quiet: 1d}]}", ["a list is not a mapping"]),
        ("{persona: owner}", ["there is no persona 'owner' — list the journey's personas under personas:"]),
        ("{all: []}", ["the list is empty"]),
        ("{any: {quiet: 3d}}", ["a mapping is not a list"]),
        ("{not: []}", ["a list is not a condition"]),
        ("{quiet: 3d, stay: {for: 3d}}", ["several conditions stand side by side"]),
        ("{}", ["a condition is missing"]),
        ("{silent: 3d}", ["there is no condition 'silent'"]),
        ("{touchpoint: {name: 5}}", ["5 is not a text"]),
        ("{touchpoint: {type: trak}}", ["there is no type 'trak' — did you mean track?"]),
        ("{touchpoint: {properties: {}}}", ["it is empty"]),
        ("{all: [{quiet: x}, {quiet: y}]}", ["enter.all[0].quiet: 'x' is", "enter.all[1].quiet: 'y' is"]),
    ],
)
def test_faulty_conditions(condition: str, told: list[str]) -> None:
    """A condition's fault is told where it stands."""
    found = problems(enter(condition))
    assert len(found) == len(told)
    for said, expected in zip(found, told, strict=True):
        assert said.startswith("line 4, column ")
        assert expected in said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "nothing is not a mapping"),
        ("- a", "a list is not a mapping"),
        (GOOD + "? [a, b]\n: c\n", "line 17, column 3: a key is not a text — write it as a text, in quotes if need be"),
        (GOOD + 'description: "x\\ud800"', "line 17, column 1, description: half of a character"),
        (GOOD + '"x\\ud800": y', "line 17, column 1: half of a character"),
        ("journey: test", "'stages' is missing"),
        ("journey: test\nstages: []", "the list is empty — list at least one of stages"),
        (GOOD + "stagse: []", "line 17, column 1: unknown key 'stagse' — did you mean stages?"),
        (GOOD.replace("stage: buyer", "stage: visitor", 1), "there are two stages 'visitor'"),
        (GOOD.replace("stage: visitor", "stage: none"), "'none' is where customers are who are in no stage"),
        (GOOD.replace("stage: visitor", "stage: a b"), "'a b' is not a name"),
        (GOOD.replace("    from: [buyer]\n", ""), "'from' is missing"),
        (GOOD.replace("means: churned", "means: gone"), "unknown value 'gone'"),
        (GOOD.replace("    means: converted", "    return: {to: previous}"), "unknown key 'return'"),
        (
            GOOD.replace("means: churned", "means: churned\n    means: churned"),
            "line 13, column 5, side[0]: the key 'means' stands",
        ),
        (GOOD + "description: *a\n", "line 17, column 14: an alias (*) is not understood — write out"),
        (GOOD.replace("quiet: 90d", "quiet: !!int 90"), "the tag tag:yaml.org,2002:int is not understood"),
        (GOOD.replace("title: {", "title: ["), "this is not YAML"),
        (GOOD + "\x00", "this is not YAML"),
        ("a: " + "[" * 50_000, "it nests too deeply — write it with fewer levels, or split the journey"),
        ("a: " + "x" * 300_000, "the text is longer than"),
        (GOOD + "roles: {purchase: {add: [Bought]}}", "unknown key 'add' — use also"),
        (GOOD + "activity: []", "line 17, column 1, activity: the list is empty"),
    ],
)
def test_faulty_definitions(text: str, told: str) -> None:
    """Whatever is wrong with the whole is told too."""
    assert any(told in problem for problem in problems(text)), problems(text)


def test_time_alone_goes_round() -> None:
    """Timed moves in a circle are refused, with the way round."""
    (told,) = problems(GOOD.replace("{touchpoint: {role: purchase}}", "{stay: {for: 3d}}\n    from: [churned]"))
    assert told.startswith("line 1, column 1: time alone goes round: buyer → churned → buyer — ")


def test_what_cannot_be_a_circle() -> None:
    """Moves that need a touchpoint, or a stay elsewhere, close no circle."""
    sold = "{all: [{touchpoint: {role: purchase}}, {quiet: 1d}]}"
    for way_back in (sold, "{stay: {for: 3d, in: visitor}}"):
        text = GOOD.replace("{touchpoint: {role: purchase}}", f"{way_back}\n    from: [churned, none]")
        assert load(text).ordered == 2


def test_plain_words() -> None:
    """`on`, `yes` and times of day are texts, and numbers are numbers."""
    data: dict[str, Any] = {"name": "yes", "properties": {"at": "12:30", "on": "no", "n": 1.5}}
    written = "{touchpoint: {name: yes, properties: {at: 12:30, on: no, n: 1.5}}}"
    loaded, parsed = (
        load(enter(written)),
        parse({"journey": "test", "stages": [{"stage": "a", "enter": {"touchpoint": data}}]}),
    )
    assert loaded == parsed


def test_a_definition_from_data_has_no_lines() -> None:
    """Problems of parsed data are told by their path alone."""
    with pytest.raises(DefinitionError) as caught:
        parse({"journey": "test", "stages": [{"stage": "a", "enter": {"quiet": "soon"}}]})
    assert str(caught.value).startswith("stages[0].enter.quiet: 'soon' is not a duration")


def test_too_much_of_a_customer() -> None:
    """What all conditions may keep of one customer together is bounded; what is equal is kept, and counted, once."""
    values = [f"{{distinct: {{of: {{}}, property: p{n}, at_least: 1000}}}}" for n in range(6)]
    assert load(enter(f"{{any: [{', '.join(values[:5])}, {values[0]}]}}"))
    with pytest.raises(DefinitionError, match="up to 12,000 numbers of each customer, and 10,000 are allowed"):
        load(enter(f"{{any: [{', '.join(values)}]}}"))
