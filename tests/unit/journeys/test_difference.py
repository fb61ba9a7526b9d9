"""What is different between two definitions, told in words."""

import pytest

from shared.journeys.definition import DefinitionError
from shared.journeys.difference import Difference, differences
from shared.journeys.templates import names, text

SHOP = """\
journey: shop
title: {en: Shop, fa: فروشگاه}
roles: {purchase: {also: [Bought]}}
stages:
  - {stage: visitor, title: Visitor, enter: {touchpoint: {type: page}}}
  - {stage: buyer, title: {en: Buyer, fa: خریدار}, enter: {touchpoint: {role: purchase}}}
side:
  - {stage: gone, means: churned, from: buyer, enter: {quiet: 90d}, return: {to: highest}}
exit: {from: buyer, enter: {touchpoint: {name: Closed}}}
"""


def changed(*replaced: tuple[str, str], language: str = "en") -> list[Difference]:
    """What is different once these parts of the shop are replaced."""
    after = SHOP
    for old, new in replaced:
        assert old in after
        after = after.replace(old, new)
    return differences(SHOP, after, language)


def told(*replaced: tuple[str, str]) -> list[str]:
    """The same in words."""
    return [str(one) for one in changed(*replaced)]


@pytest.mark.parametrize("name", names())
def test_nothing_is_different_from_itself(name: str) -> None:
    """Nor from the same with other comments and spaces."""
    assert differences(text(name), text(name)) == []
    assert differences(text(name), f"# a remark\n\n{text(name)}\n") == []


def test_what_is_written_otherwise_but_says_the_same() -> None:
    """A list of one, quotes, and another order of keys are no differences."""
    assert (
        told(("{type: page}", "{'type': [page]}"), ("from: buyer, enter: {quiet", "from: [buyer], enter: {quiet")) == []
    )


def test_stages_that_came_and_went() -> None:
    """A stage that is added or removed is told with what leads into it."""
    line = "  - {stage: fan, enter: {stay: {for: 30d, in: buyer}}}\n"
    (added,) = changed(("side:\n", f"{line}side:\n"))
    assert (added.kind, added.stage, added.before) == ("added", "fan", None)
    assert str(added) == f"fan is added: {added.after}"
    assert "“Buyer”" in str(added.after)
    (removed,) = differences(SHOP.replace("side:\n", f"{line}side:\n"), SHOP)
    assert (removed.kind, removed.stage, removed.after) == ("removed", "fan", None)


def test_a_stage_of_another_name_is_renamed() -> None:
    """If what leads into it and where it stands are the same; who names it in a from is not different."""
    assert told(("buyer", "customer")) == ["buyer is now called customer"]
    kinds = [one.kind for one in changed(("stage: visitor", "stage: guest"), ("{type: page}", "{type: screen}"))]
    assert kinds == ["added", "removed"]


def test_another_condition_is_told_before_and_after() -> None:
    """In sentences, in the language asked for."""
    replaced = ("{touchpoint: {role: purchase}}", "{count: {of: {role: purchase}, at_least: 2}}")
    (one,) = changed(replaced)
    assert (one.kind, one.stage, one.what) == ("changed", "buyer", "is entered when")
    assert "2 times" in str(one.after)
    assert "purchase" in str(one.before)
    assert str(one) == f"buyer: is entered when: {one.before} → {one.after}"
    (persian,) = changed(replaced, language="fa")
    assert "خرید" in (persian.before or "")


def test_other_names_of_a_role_are_told_of_the_role() -> None:
    """And not of each condition that speaks of it."""
    assert told(("[Bought]", "[Paid, Taken]")) == ["names of the role purchase: Bought → Paid, Taken"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("from: buyer, enter: {q", "from: [visitor], enter: {q", "gone: can be entered from: buyer → visitor"),
        ("means: churned", "means: lapsed", "gone: means: churned → lapsed"),
        ("return: {to: highest}", "return: {to: previous}", "gone: return: {to: highest} → {to: previous}"),
        ("title: Visitor, ", "", "visitor: title: Visitor → nothing"),
        ("journey: shop", "journey: store", "journey: shop → store"),
        ("exit: {from: buyer", "exit: {from: visitor", "is left when: "),
        ("roles:", "activity: [{type: page}]\nroles:", "activity: "),
        ("roles:", "description: All of it\nroles:", "description: nothing → All of it"),
    ],
)  # fmt: skip
def test_every_other_part(old: str, new: str, expected: str) -> None:
    """Whatever a definition may have is told where it differs, with both sides."""
    (one,) = told((old, new))
    assert one.startswith(expected)
    assert " → " in one


def test_another_order_and_place() -> None:
    """Stages that have changed places are told in both orders; one that stands aside now, as such."""
    first, second = SHOP.splitlines()[4:6]
    (order,) = differences(SHOP, SHOP.replace(f"{first}\n{second}", f"{second}\n{first}"))
    assert (order.what, order.before, order.after) == (
        "order of stages",
        "visitor, buyer, gone",
        "buyer, visitor, gone",
    )
    lines = (
        SHOP.replace("side:\n", "")
        .replace(", return: {to: highest}", "")
        .replace("exit:", "side:\n  - {stage: x, from: buyer, enter: {quiet: 9d}}\nexit:")
    )
    assert "gone: stands: beside the order → in the order" in [str(one) for one in differences(SHOP, lines)]


def test_what_is_no_journey() -> None:
    """Is refused with its faults."""
    with pytest.raises(DefinitionError):
        differences(SHOP, "journey: x")
