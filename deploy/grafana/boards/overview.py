"""Where the customers of a journey stand, where they go, who converts and who is being lost: for marketers."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.boards.board import Section, board, of_journey
from deploy.grafana.boards.panels import COUNT, PART, PER_HOUR, SECONDS, Panel, Series, bars, lines, number, rows
from deploy.grafana.boards.queries import (
    HAPPENED,
    JOURNEY,
    LEARNT,
    moves,
    moves_per_hour,
    now,
    or_zero,
    share_of,
    some,
)
from shared import telemetry

PAIR = "{{from}} → {{to}}"
FLOW = ("from", "to")


def made() -> Dashboard:
    """The board."""
    return board(
        "overview",
        "Overview",
        "Where customers stand on a journey, where they go, who converts and who is being lost.",
        [
            Section("Now", [*_numbers(), *_stages()]),
            Section("Flows", _flows()),
            Section("Conversion", _conversion()),
            Section("Churn", _churn()),
        ],
        of_journey(),
        since="now-7d",
        refresh="1m",
    )


def _numbers() -> list[Panel]:
    return [
        number(
            "Customers",
            "All customers of the journey, those in none of its stages, too.",
            COUNT,
            Series(now(telemetry.STAGE_CUSTOMERS, (), JOURNEY), "customers"),
        ),
        number(
            "New",
            "Customers who were seen for the first time in the period on display.",
            COUNT,
            Series(
                or_zero(moves(telemetry.TRANSITIONS, (), {**LEARNT, "from": "absent"}, less=telemetry.REVERSALS)), "new"
            ),
        ),
        number(
            "Converted",
            "Moves between the stages that the journey names as its conversions, in the period on display.",
            COUNT,
            Series(or_zero(moves(telemetry.CONVERSIONS, (), HAPPENED)), "conversions"),
        ),
        number(
            "At risk or lost",
            "Moves into stages that mean at-risk, churned or lapsed, in the period on display.",
            COUNT,
            Series(or_zero(moves(telemetry.CHURN, (), HAPPENED)), "moves"),
        ),
        number(
            "Freshness",
            "Everything that was received so long ago is counted.",
            SECONDS,
            Series(now(telemetry.FRESHNESS, how="max"), "age"),
            warn=60,
            bad=600,
        ),
        number(
            "Names that no rule reads",
            "Names of touchpoints that the journey's rules do not know: customers may do more than it shows. "
            "`milepost journeys fit` lists them.",
            COUNT,
            Series(now(telemetry.UNREAD_NAMES, (), JOURNEY), "names"),
        ),
    ]


def _stages() -> list[Panel]:
    customers = now(telemetry.STAGE_CUSTOMERS, ("stage",), JOURNEY)
    return [
        bars(
            "Customers by stage now",
            "How many customers stand in each stage; none: in no stage. A bar leads to the stage's own board.",
            COUNT,
            Series(customers, "{{stage}}"),
            link="/d/milepost-journey?var-project=${project}&var-journey=${journey}&var-stage=${__field.labels.stage}",
        ),
        lines(
            "Customers by stage over time",
            "The same numbers as they were; stacked, so that the top is all customers.",
            COUNT,
            Series(customers, "{{stage}}"),
            stacked=True,
        ),
    ]


def _flows() -> list[Panel]:
    return [
        rows(
            "Flows in the period",
            "Moves from stage to stage in the period on display, less those that turned out not to have happened; from "
            "absent: seen for the first time.",
            COUNT,
            some(moves(telemetry.TRANSITIONS, FLOW, LEARNT, less=telemetry.REVERSALS)),
            columns=FLOW,
            value="moves",
        ),
        lines(
            "Flows over time",
            "Moves an hour from stage to stage, as they are made: live, by time passing, or by hand.",
            PER_HOUR,
            Series(moves_per_hour(telemetry.TRANSITIONS, FLOW, HAPPENED), PAIR),
        ),
    ]


def _conversion() -> list[Panel]:
    converted = moves(telemetry.CONVERSIONS, FLOW, HAPPENED)
    left = moves(telemetry.TRANSITIONS, ("from",), HAPPENED)
    return [
        bars(
            "Conversions in the period",
            "Moves straight from the first to the second stage of each pair that the journey names.",
            COUNT,
            Series(converted, PAIR),
            width=8,
        ),
        bars(
            "Share of those who moved on",
            "Of all moves out of the first stage of a pair in the period on display, how many led to the second.",
            PART,
            Series(share_of(converted, left, each="from"), PAIR),
            width=8,
        ),
        lines(
            "Conversions over time",
            "Conversions an hour, by pair.",
            PER_HOUR,
            Series(moves_per_hour(telemetry.CONVERSIONS, FLOW, HAPPENED), PAIR),
            width=8,
        ),
    ]


def _churn() -> list[Panel]:
    return [
        lines(
            "Churn signals",
            "Moves an hour into stages that mean at-risk, churned or lapsed.",
            PER_HOUR,
            Series(moves_per_hour(telemetry.CHURN, ("meaning",), HAPPENED), "{{meaning}}"),
            width=8,
        ),
        bars(
            "Where they leave",
            "Moves in the period on display out of each stage to a lower one, to none, or into a stage that means "
            "at-risk, churned or lapsed.",
            COUNT,
            Series(moves(telemetry.LEAKS, ("stage",), HAPPENED), "{{stage}}"),
            width=8,
        ),
        lines(
            "Win-backs",
            "Moves an hour out of such stages by an act of the customer's.",
            PER_HOUR,
            Series(moves_per_hour(telemetry.WIN_BACKS, ("meaning",), HAPPENED), "{{meaning}}"),
            width=8,
        ),
    ]
