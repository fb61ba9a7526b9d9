"""How a journey fits the names that a site sends."""

import pytest
import yaml

from shared.events import DAY
from shared.journeys.definition import load
from shared.journeys.fit import Fit, Met, fit, unread_names
from shared.journeys.templates import names, text

SHOP = """\
journey: shop
roles: {sign-up: {also: [Joined]}, purchase: [Paid]}
except: [{name: Heartbeat}]
stages:
  - {stage: visitor, enter: {touchpoint: {type: page}}}
  - {stage: member, enter: {touchpoint: {role: sign-up}}}
  - {stage: buyer, enter: {count: {of: {role: purchase}, at_least: 2}}}
  - {stage: fan, enter: {not: {sequence: {steps: [{name: Liked}, {name: Shared, properties: {a: 1}}], within: 9d}}}}
exit: {from: fan, enter: {touchpoint: {type: screen}}}
"""


def met(name: str, n: int = 1, last: int = 100, type: str = "track") -> Met:
    """A name that was met so often, until that day."""
    return Met(type, name, n, 0, last * DAY)


def shop(*names: Met, since: int = 90) -> Fit:
    """How the shop fits these names; what was not met since that day is silent."""
    return fit(SHOP, names, since * DAY)


def unread(found: Fit) -> list[str]:
    """The names that no rule reads."""
    return [one.met.name for one in found.unread]


def test_names_that_no_rule_reads() -> None:
    """The most frequent first; what a rule asks for by name, by role or by type alone is read, however it is spelt."""
    found = shop(
        met("Scrolled", 5),
        met("Clicked", 9),
        met("JOINED", 2),
        met("paid", 3),
        met("Home", 9, type="page"),
        met("liked", 1),
        met("Heartbeat", 99),
        met("Menu", 4, type="screen"),
        met("", 7, type="identify"),
    )
    assert unread(found) == ["Clicked", "Scrolled"]
    assert found.events == 139


def test_a_rule_that_goes_by_content_reads_no_name_in_particular() -> None:
    """Whatever is named so could be meant, and nothing need be."""
    text_ = SHOP.replace("{touchpoint: {type: page}}", "{touchpoint: {channel: email, type: track}}")
    assert [one.met.name for one in fit(text_, [met("Clicked")], 0).unread] == ["Clicked"]
    every = SHOP.replace("{touchpoint: {type: page}}", "{count: {of: {}, at_least: 9}}")
    assert fit(every, [met("Clicked")], 0).unread == []


def test_a_list_of_names_replaces_a_roles_own() -> None:
    """Order Completed is bound to purchase, but not in this shop."""
    assert unread(shop(met("Order Completed"))) == ["Order Completed"]


def test_names_that_are_not_counted_one_by_one() -> None:
    """They are told together, and are no name."""
    found = shop(met("", 40, type=""), met("Clicked"))
    assert (found.others, found.events, unread(found)) == (40, 41, ["Clicked"])


def test_roles_and_rules_that_nothing_meets() -> None:
    """Those never met and those not met lately, each with how often and when last; all that is met is left out."""
    found = shop(met("Joined", 3, 89), met("Paid", 2, 90), met("Home", 1, 95, "page"), met("Shared", 1, 10))
    assert [(one.said, one.n, one.last_at) for one in found.roles] == [("sign-up", 3, 89 * DAY)]
    silent = {one.said: one.last_at for one in found.conditions}
    assert len(silent) == 4
    assert {said: at for said, at in silent.items() if "Liked" in said or "Shared" in said} == {
        next(said for said in silent if "Liked" in said): None,
        next(said for said in silent if "Shared" in said): 10 * DAY,
    }


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("customer: signed up", "sign-up"),
        ("userSignedUp", "sign-up"),
        ("Sign-Up", "sign-up"),
        ("order-completed", "purchase"),
        ("orderComplete", "purchase"),
        ("ثبت نام کاربر", "sign-up"),
        ("خرید_محصول", "purchase"),
        ("إتمام_الطلب", "purchase"),
        ("New Order Completed", "purchase"),
        ("Zebra", None),
        ("Order Failed", None),
        ("Article Viewed", None),
        ("x", None),
    ],
)
def test_what_an_unknown_name_probably_means(name: str, role: str | None) -> None:
    """A role of the journey with a name much like it, whatever the case, the script and what stands between words."""
    text_ = SHOP.replace("roles: {sign-up: {also: [Joined]}, purchase: [Paid]}\n", "").replace("Liked", "Cart Viewed")
    (one,) = fit(text_, [met(name)], 0).unread
    assert (one.guess.role if one.guess else None) == role


def test_bindings_are_yaml_to_paste() -> None:
    """With what the journey binds already; pasted, the names are read and nothing is lost."""
    found = shop(met("user_joined"), met("paid_"), met("Zebra"))
    bound = yaml.safe_load(found.bindings)
    assert bound["roles"]["sign-up"]["also"][0] == "Joined"
    assert bound["roles"]["purchase"][0] == "Paid"
    pasted = SHOP.replace("roles: {sign-up: {also: [Joined]}, purchase: [Paid]}\n", found.bindings)
    assert len(found.bindings.splitlines()) <= 5
    names_ = [met("user_joined"), met("paid_"), met("Joined"), met("Paid")]
    assert [one.met.name for one in fit(pasted, names_, 0).unread] == []
    assert shop(met("Zebra")).bindings == ""


@pytest.mark.parametrize("name", names())
def test_a_template_fits_its_own_names(name: str) -> None:
    """With nothing met all is silent and nothing unread; the number of unread names is that of the list."""
    nothing = fit(text(name), [], 0)
    assert (nothing.unread, nothing.bindings, nothing.events) == ([], "", 0)
    assert nothing.roles
    assert nothing.conditions
    sent = [met("Order Completed"), met("Zebra"), met("Home", type="page")]
    assert unread_names(load(text(name)), sent) == len(fit(text(name), sent, 0).unread)
