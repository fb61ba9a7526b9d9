"""What the moves of a journey say of who converts, leaves, comes back."""

from services.metrics.signals import signals
from shared.journeys.definition import load
from shared.journeys.engine import ABSENT, NONE
from shared.store.rows import BACKFILL, LIVE, TIMER

SHOP = load("""
journey: shop
stages:
  - {stage: visitor, enter: {touchpoint: {type: page}}}
  - {stage: buyer, means: converted, enter: {touchpoint: {name: Order Completed}}}
side:
  - {stage: quiet, means: at-risk, from: buyer, enter: {quiet: 30d}, return: {on: activity, to: highest}}
  - {stage: gone, means: churned, from: [buyer, quiet], enter: {quiet: 90d}, return: {on: activity, to: highest}}
  - {stage: friend, from: buyer, enter: {touchpoint: {name: Invited}}, return: {on: activity, to: highest}}
conversions:
  - {from: visitor, to: buyer, title: First order}
""")
VISITOR, BUYER, QUIET, GONE, FRIEND = range(5)


def test_a_definition_begins_with_nothing_of_everything() -> None:
    """Each pair, meaning and ordered stage is there at 0 for what may raise an alarm, before anybody moves."""
    found = signals(SHOP, {})
    assert found.conversions == {("visitor", "buyer", "live"): 0, ("visitor", "buyer", "timer"): 0}
    meanings = {(means, cause): 0 for means in ("at-risk", "churned") for cause in ("live", "timer")}
    assert found.churn == found.win_backs == meanings
    assert found.leaks == {(stage, cause): 0 for stage in ("visitor", "buyer") for cause in ("live", "timer")}


def test_a_conversion_is_a_move_of_a_pair() -> None:
    """Straight moves of a pair count by cause; those of no pair do not."""
    moves = {(VISITOR, BUYER, LIVE): 3, (VISITOR, BUYER, BACKFILL): 9, (ABSENT, BUYER, LIVE): 5}
    counts = signals(SHOP, moves).conversions
    assert counts == {
        ("visitor", "buyer", "live"): 3,
        ("visitor", "buyer", "timer"): 0,
        ("visitor", "buyer", "backfill"): 9,
    }


def test_leaving_counts_by_what_the_stage_means() -> None:
    """Who goes from at risk to churned is counted in both; going round within one meaning would not be."""
    churn = signals(SHOP, {(BUYER, QUIET, TIMER): 4, (QUIET, GONE, TIMER): 2, (BUYER, GONE, LIVE): 1}).churn
    assert churn["at-risk", "timer"] == 4
    assert churn["churned", "timer"] == 2
    assert churn["churned", "live"] == 1


def test_a_win_back_is_by_an_act_into_a_stage() -> None:
    """Neither the next worse stage, nor time, nor leaving the journey wins anybody back."""
    moves = {(QUIET, BUYER, LIVE): 3, (GONE, BUYER, LIVE): 2, (QUIET, GONE, TIMER): 7, (GONE, NONE, LIVE): 5}
    counts = signals(SHOP, moves).win_backs
    assert {key: n for key, n in counts.items() if n} == {("at-risk", "live"): 3, ("churned", "live"): 2}


def test_a_leak_leads_out_downwards() -> None:
    """To a lower stage, to none or into a stage that means leaving; not upwards, nor to a side stage of friends."""
    moves = {
        (BUYER, VISITOR, LIVE): 1,
        (BUYER, NONE, LIVE): 2,
        (BUYER, QUIET, TIMER): 4,
        (BUYER, FRIEND, LIVE): 8,
        (VISITOR, BUYER, LIVE): 16,
        (BUYER, ABSENT, LIVE): 32,
    }
    counts = signals(SHOP, moves).leaks
    assert {key: n for key, n in counts.items() if n} == {("buyer", "live"): 3, ("buyer", "timer"): 4}
