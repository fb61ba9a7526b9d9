"""What a team says of a journey: personas, owners, plans, expectations, conversions."""

from decimal import Decimal

import pytest

from shared.journeys.conditions.logic import All
from shared.journeys.conditions.persona import Persona
from shared.journeys.definition import DefinitionError, load, parse
from shared.journeys.model import Cost, Planned
from tests.support.journeys import journey, named, teller, touchpoint

SHOP = """\
journey: shop
personas:
  - {persona: owner, title: {en: Owners}, when: {role: [owner, founder]}, goals: More sales, frustrations: No time}
  - {persona: buyer, when: {role: {exists: true}}, decides: With two others}
stages:
  - stage: visitor
    owner: Marketing
    notes: The first page decides.
    planned:
      - {kind: Search Result, channel: organic search}
      - {kind: e-mail, content: newsletter, owner: Content, cost: {amount: 12.5, currency: EUR}}
    expected: {touchpoints: [1, 4]}
    enter: {touchpoint: {type: page}}
  - {stage: customer, persona: [owner, buyer], enter: {touchpoint: {name: Bought}}}
side:
  - {stage: gone, from: customer, persona: owner, enter: {quiet: 30d}, owner: Sales}
conversions:
  - {from: visitor, to: customer, title: {en: Sold}}
  - {from: none, to: visitor}
"""


def test_what_a_team_says() -> None:
    """It is all in the model, and changes no move but those of a branch."""
    shop = load(SHOP, teller())
    owner, buyer = shop.personas
    assert (owner.name, owner.title.text(), owner.goals, owner.frustrations) == (
        "owner",
        "Owners",
        "More sales",
        "No time",
    )
    assert (buyer.title.text(), buyer.decides) == ("buyer", "With two others")
    visitor, customer, gone = shop.stages
    assert (visitor.owner, visitor.notes, visitor.expected) == ("Marketing", "The first page decides.", (1, 4))
    assert visitor.planned == (
        Planned("Search Result", "organic search", None, "", None),
        Planned("e-mail", None, "newsletter", "Content", Cost(Decimal("12.5"), "EUR")),
    )
    assert (gone.owner, gone.planned, gone.expected) == ("Sales", (), None)
    assert isinstance(customer.enter, All)
    assert customer.enter.conditions[1] == Persona(("owner", "buyer"), (("owner", owner.when), ("buyer", buyer.when)))
    assert [(one.source, one.target, one.title.text()) for one in shop.conversions] == [
        ("visitor", "customer", "Sold"),
        ("none", "visitor", "none → visitor"),
    ]


def test_a_branch_moves_its_persona_alone() -> None:
    """Who is no owner and no buyer stays a visitor."""
    shop, state = journey(SHOP), journey(SHOP).start()
    moves = [shop.touch(state, touchpoint(0, "1", "page")), shop.touch(state, touchpoint(1, "2", name="Bought"))]
    shop.touch(state, touchpoint(2, "3", "identify", traits={"role": "intern"}))
    moves.append(shop.touch(state, touchpoint(3, "4", name="Bought")))
    assert [(at, to) for at, _, to, _ in named(shop, [move for move in moves if move])] == [
        (0, "visitor"),
        (3, "customer"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("persona: buyer,", "persona: owner,", "column 6, personas[1].persona: there are two personas 'owner'"),
        ("persona: buyer, when", "when", "personas[1]: 'persona' is missing"),
        ("{role: {exists: true}}", "{}", "personas[1].when: it is empty — name a trait"),
        ("when: {role: [owner", "whn: {role: [owner", "unknown key 'whn' — did you mean when?"),
        ("[owner, buyer]", "[owner, byer]", "stages[1].persona[1]: there is no persona 'byer' — did you mean buyer?"),
        ("owner: Marketing", "owner: [Marketing]", "stages[0].owner: a list is not a text"),
        ("kind: e-mail", "kind: e-mial", "planned[1].kind: there is no kind 'e-mial' — did you mean e-mail?"),
        ("kind: e-mail, ", "", "planned[1]: 'kind' is missing"),
        ("channel: organic search", "channel: 5", "planned[0].channel: 5 is not a text"),
        ("channel: organic search", "channel: organic", "planned[0].channel: there is no channel 'organic'"),
        ("content: newsletter", "content: leter", "planned[1].content: there is no content 'leter'"),
        ("amount: 12.5", "amount: -1", "cost.amount: -1 is less than nothing"),
        ("currency: EUR", "currency: euro", "cost.currency: 'euro' is not a currency — write its three letters"),
        ("cost: {amount: 12.5, currency: EUR}", "cost: 12", "planned[1].cost: 12 is not a mapping"),
        ("[1, 4]", "[4, 1]", "expected.touchpoints: 4 is more than 1"),
        ("[1, 4]", "4", "expected.touchpoints: 4 is not a band — write the fewest and the most"),
        ("[1, 4]", "[1, 4, 5]", "expected.touchpoints: a list is not a band"),
        ("[1, 4]", "[1, x]", "expected.touchpoints[1]: 'x' is not a whole number"),
        ("touchpoints: [1", "touchpoint: [1", "did you mean touchpoints?"),
        ("from: none, to: visitor", "from: none, to: none", "conversions[1].to: nobody converts to no stage at all"),
        ("from: none, to: visitor", "from: visitor, to: visitor", "it leads from visitor to itself"),
        ("from: none, to: visitor", "from: none", "conversions[1]: 'to' is missing"),
        ("from: none, to: visitor", "from: gonne, to: visitor", "there is no stage 'gonne' — did you mean gone?"),
    ],
)
def test_faults(before: str, after: str, told: str) -> None:
    """Each is told where it stands, with a remedy, and brings no other along."""
    assert before in SHOP
    with pytest.raises(DefinitionError) as caught:
        load(SHOP.replace(before, after, 1), teller())
    assert any(told in str(problem) for problem in caught.value.problems), str(caught.value)
    assert len({problem.line for problem in caught.value.problems}) <= 2


def test_all_faults_at_once() -> None:
    """However many there are."""
    text = SHOP.replace("e-mail", "e-mial").replace("[1, 4]", "4").replace("currency: EUR", "currency: 5")
    with pytest.raises(DefinitionError) as caught:
        load(text.replace("{exists: true}", "{exist: true}").replace("quiet: 30d", "quiet: 30"), teller())
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [
        (4, 36),
        (11, 10),
        (11, 82),
        (12, 16),
        (16, 59),
    ]


def test_tables_that_have_changed_since() -> None:
    """A definition that is in force is read whatever the tables are."""
    text = SHOP.replace("kind: e-mail", "kind: carrier pigeon")
    assert load(text).stages[0].planned[1].kind == "carrier pigeon"
    assert parse({"journey": "a", "stages": [{"stage": "a", "enter": {"touchpoint": {"kind": "pigeon"}}}]}).ordered == 1
