"""A definition's own examples: how they are read, and what they come to."""

from zoneinfo import ZoneInfo

import pytest

from shared.events import DAY
from shared.journeys import templates
from shared.journeys.compile import compile_journey
from shared.journeys.definition import DefinitionError, load
from shared.journeys.engine import Journey
from shared.journeys.setting import Setting, nowhere
from shared.journeys.trial import Tried, hold_examples, try_examples
from tests.support.journeys import START, setting

HOUR = DAY // 24
SHOP = """\
journey: shop
stages:
  - {stage: visitor, enter: {touchpoint: {type: page}}}
  - {stage: buyer, enter: {touchpoint: {role: purchase, properties: {total: {at_least: 10}}}}}
  - {stage: member, enter: {trait: {plan: pro}}}
side:
  - {stage: quiet, from: [visitor, buyer], enter: {quiet: 30d}, return: {to: highest}}
examples:
"""


def shop(examples: str, zone: str = "UTC") -> Journey:
    """The shop with these examples, in a time zone."""
    return compile_journey(load(SHOP + examples), Setting(ZoneInfo(zone), nowhere().teller))


def tried(given: str, expect: str, zone: str = "UTC") -> list[Tried]:
    """What one example comes to."""
    return try_examples(shop(f"  - {{example: one, given: {given}, expect: {expect}}}", zone))


def faults(examples: str) -> list[str]:
    """Every fault of these examples."""
    with pytest.raises(DefinitionError) as caught:
        load(SHOP + examples)
    return [str(problem) for problem in caught.value.problems]


def test_stages_are_expected_at_their_times() -> None:
    """An expectation is of its instant, that instant's touchpoints included; what time alone does counts, too."""
    given = "[{at: 2026-01-01, page: Home}, {at: +1h, track: Order Completed, properties: {total: 10}}]"
    expect = "[{at: +59m, stage: visitor}, {at: +1h, stage: buyer}, {at: +30d1h, stage: quiet}]"
    found = tried(given, expect)
    assert [(one.came, one.holds) for one in found] == [("visitor", True), ("buyer", True), ("quiet", True)]
    assert [one.at for one in found] == [START + 59 * HOUR // 60, START + HOUR, START + 30 * DAY + HOUR]


def test_what_comes_is_told_with_its_reason() -> None:
    """A failed expectation says which stage came and why, and where it is written."""
    (one,) = tried("[{at: +0d, page: Home}]", "{stage: buyer}")
    assert (one.expected, one.came, one.holds, one.where.path) == ("buyer", "visitor", False, "examples[0].expect")
    assert one.where.line == 9
    assert "Home" in one.reason


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        ("[{at: +0d, identify: {plan: pro}}]", "member"),
        ("[{at: +0d, identify: }]", "absent"),
        ("[{at: +0d, group: {name: Acme}}]", "absent"),
        ("[{at: +0d, screen: Start}]", "none"),
        ("[{at: +0d, place: member}, {at: +1d, page: }]", "member"),
        ("[{at: +0d, page: }]", "visitor"),
        ("[{at: +0d, track: Order Completed, properties: {total: 9.99}}]", "none"),
        ("[{at: +0d, track: Order Completed, properties: {total: 10}, context: {a: [1]}}]", "buyer"),
    ],
)
def test_every_kind_of_event(given: str, expect: str) -> None:
    """Each kind of touchpoint is given by its key, with what it carries; nowhere and no stage have names."""
    (one,) = tried(given, f"{{stage: {expect}}}")
    assert one.came == expect


def test_times_without_an_offset_are_the_projects() -> None:
    """A date begins where something happens and ends where a stage is expected, in the project's zone."""
    given, expect = (
        "[{at: 2026-03-01 09:30, page: Home}]",
        "[{at: 2026-03-01, stage: visitor}, {at: 2026-02-28, stage: absent}]",
    )
    assert all(one.holds for one in tried(given, expect, "Asia/Tehran"))
    (day, _) = tried(given, expect, "Asia/Tehran")
    assert day.at == (20_513 + 1) * DAY - 3 * HOUR - HOUR // 2 - 1
    same = "[{at: 2026-03-01T06:00:00Z, stage: visitor}, {at: 2026-03-01 09:29:59.999999+03:30, stage: absent}]"
    assert all(one.holds for one in tried(given, same, "Asia/Tehran"))


def test_events_in_any_order() -> None:
    """They are put in the order of their times; at one time they are in the order in which they are written."""
    given = "[{at: +2h, track: Order Completed, properties: {total: 99}}, {at: +1h, page: }]"
    assert [one.came for one in tried(given, "[{at: +1h, stage: visitor}, {stage: buyer}]")] == ["visitor", "buyer"]


def test_all_faults_are_told() -> None:
    """Each with its line, path and remedy, at once."""
    told = faults(
        """\
  - {example: "", given: [], expect: []}
  - {example: a, given: [{at: +1x, page: }, {at: +0d, pge: Home}, {at: +0d}], expect: {stage: buyr}}
  - {example: b, given: [{at: 2026-02-30, page: }, {at: 1700-01-01, page: , track: x}], expect: {at: noon, stage: none}}
  - {example: c, given: [{at: +99999d, page: }, {at: +0d, track: }, {at: +0d, identify: x}], expect: {stage: none}}
  - {example: d, given: [{at: +0d, identify: , properties: {a: 1}}, {at: 0, place: vip}], expect: [{at: +1d}]}
  - {example: e}
"""
    )
    for part in (
        "line 9, column 19, examples[0].given: the list is empty",
        "examples[1].given[0].at: '+1x' is not a time",
        "unknown key 'pge' — did you mean page?",
        "examples[1].given[2]: it does not say what happened",
        "there is no stage 'buyr' — did you mean buyer?",
        "'2026-02-30' is in no calendar",
        "it is both track and page",
        "examples[2].expect.at: 'noon' is not a time",
        "more than a hundred years",
        "examples[3].given[1].track: nothing is not a name",
        "examples[3].given[2].identify: 'x' is not a mapping",
        "an identify has no properties",
        "there is no stage 'vip'",
        "examples[4].expect[0]: 'stage' is missing",
        "examples[5]: 'given' is missing",
    ):
        assert any(part in fault for fault in told), (part, told)


def test_no_more_than_can_be_tried_at_once() -> None:
    """Examples, events and expectations are bounded, and the bound is told."""
    many = "".join("  - {example: a, given: [{at: +0d, page: }], expect: {stage: visitor}}\n" for _ in range(201))
    assert any("more than 200 examples" in fault for fault in faults(many))
    events = ", ".join("{at: +0d, page: }" for _ in range(501))
    assert any(
        "more than 500 events" in fault
        for fault in faults(f"  - {{example: a, given: [{events}], expect: {{stage: visitor}}}}")
    )


@pytest.mark.parametrize("name", templates.names())
def test_the_templates_do_what_their_examples_say(name: str) -> None:
    """Each built-in journey has examples, and they hold."""
    tried = try_examples(compile_journey(templates.load(name), setting()))
    assert len({one.example for one in tried}) >= 2
    assert [one for one in tried if not one.holds] == []


def test_one_example_alone() -> None:
    """The one of a title can be tried without the others."""
    text = "".join(
        f"  - {{example: {name}, given: [{{at: +0d, page: }}], expect: {{stage: visitor}}}}\n" for name in "ab"
    )
    assert [one.example for one in try_examples(shop(text), "b")] == ["b"]


def test_a_definition_whose_examples_fail_is_refused() -> None:
    """Every failed expectation is a problem of the definition; one whose examples hold is let through."""
    hold_examples(shop("  - {example: a, given: [{at: +0d, page: }], expect: {stage: visitor}}"))
    with pytest.raises(DefinitionError) as caught:
        hold_examples(shop("  - {example: a, given: [{at: +0d, page: }], expect: [{stage: buyer}, {stage: none}]}"))
    assert [problem.line for problem in caught.value.problems] == [9, 9]
    assert "expects buyer, and visitor comes" in str(caught.value)
