"""One stage of one journey: who stands in it, how they come and go, and how the journey's versions are."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.boards.board import Section, board, of_journey, variable
from deploy.grafana.boards.panels import COUNT, PART, PER_HOUR, Panel, Series, bars, lines, number, rows
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
    values,
)
from shared import telemetry

STAGE = {**JOURNEY, "stage": "$stage"}
INTO, OUT = {"to": "$stage"}, {"from": "$stage"}


def made() -> Dashboard:
    """The board."""
    stage = variable("stage", "Stage", "The stage.", values(telemetry.STAGE_CUSTOMERS, "stage", JOURNEY))
    return board(
        "journey",
        "Journey",
        "One stage of a journey: who stands in it, how they come and go; and the journey's versions.",
        [
            Section("Stage $stage", [*_numbers(), _over_time(), _entries_and_exits()]),
            Section("How they come and go", _flows()),
            Section("By what cause", _causes()),
            Section("The journey's versions", _versions()),
        ],
        [*of_journey(), stage],
        since="now-7d",
        refresh="1m",
    )


def _numbers() -> list[Panel]:
    customers = now(telemetry.STAGE_CUSTOMERS, (), STAGE)
    everybody = now(telemetry.STAGE_CUSTOMERS, (), JOURNEY)
    return [
        number("Customers", "How many customers stand in the stage.", COUNT, Series(customers, "customers")),
        number(
            "Share of the journey",
            "What part of the journey's customers they are.",
            PART,
            Series(share_of(customers, everybody), "share"),
        ),
        number(
            "Came",
            "Moves into the stage in the period on display, less those that turned out not to have happened.",
            COUNT,
            Series(or_zero(moves(telemetry.TRANSITIONS, (), {**LEARNT, **INTO}, less=telemetry.REVERSALS)), "came"),
        ),
        number(
            "Left",
            "Moves out of the stage in the period on display, less those that turned out not to have happened.",
            COUNT,
            Series(or_zero(moves(telemetry.TRANSITIONS, (), {**LEARNT, **OUT}, less=telemetry.REVERSALS)), "left"),
        ),
        number(
            "Converted",
            "Moves out of the stage in the period on display to one that the journey pairs it with as a conversion.",
            COUNT,
            Series(or_zero(moves(telemetry.CONVERSIONS, (), {**HAPPENED, **OUT})), "conversions"),
        ),
        number(
            "Fell back",
            "Moves out of the stage in the period on display to a lower one, to none, or into one that means at-risk, "
            "churned or lapsed.",
            COUNT,
            Series(or_zero(moves(telemetry.LEAKS, (), {**HAPPENED, "stage": "$stage"})), "moves"),
        ),
    ]


def _over_time() -> Panel:
    return lines(
        "Customers over time",
        "How many customers stood in the stage.",
        COUNT,
        Series(now(telemetry.STAGE_CUSTOMERS, ("stage",), STAGE), "{{stage}}"),
    )


def _entries_and_exits() -> Panel:
    return lines(
        "Coming and going",
        "Moves an hour into the stage and out of it, as they are made: live, by time passing, or by hand.",
        PER_HOUR,
        Series(or_zero(moves_per_hour(telemetry.TRANSITIONS, (), {**HAPPENED, **INTO})), "into"),
        Series(or_zero(moves_per_hour(telemetry.TRANSITIONS, (), {**HAPPENED, **OUT})), "out of"),
    )


def _flows() -> list[Panel]:
    return [
        rows(
            "Where they came from",
            "Moves into the stage in the period on display by the stage before, less those taken back; from absent: "
            "seen for the first time.",
            COUNT,
            some(moves(telemetry.TRANSITIONS, ("from",), {**LEARNT, **INTO}, less=telemetry.REVERSALS)),
            columns=("from",),
            value="moves",
        ),
        rows(
            "Where they went",
            "Moves out of the stage in the period on display by the stage after, less those taken back.",
            COUNT,
            some(moves(telemetry.TRANSITIONS, ("to",), {**LEARNT, **OUT}, less=telemetry.REVERSALS)),
            columns=("to",),
            value="moves",
        ),
    ]


def _causes() -> list[Panel]:
    return [
        bars(
            "Moves into the stage",
            "In the period on display, by what made them: events as they came (live), time passing (timer), late "
            "events, customers found to be one (merge), and so on.",
            COUNT,
            Series(moves(telemetry.TRANSITIONS, ("cause",), {**JOURNEY, **INTO}), "{{cause}}"),
            width=8,
        ),
        bars(
            "Moves out of the stage",
            "In the period on display, by what made them.",
            COUNT,
            Series(moves(telemetry.TRANSITIONS, ("cause",), {**JOURNEY, **OUT}), "{{cause}}"),
            width=8,
        ),
        bars(
            "Moves taken back",
            "Moves of the journey that turned out not to have happened, in the period on display, by what showed it.",
            COUNT,
            Series(moves(telemetry.REVERSALS, ("cause",), JOURNEY), "{{cause}}"),
            width=8,
        ),
    ]


def _versions() -> list[Panel]:
    return [
        rows(
            "Versions",
            "The versions that are kept up to date; 1: the one that answers.",
            COUNT,
            now(telemetry.JOURNEY_VERSION, ("version",), JOURNEY),
            columns=("version",),
            value="answers",
            width=8,
        ),
        lines(
            "Back-fill",
            "How far each version has come through the customers that were there before it; at 100 % it can answer.",
            PART,
            Series(now(telemetry.BACKFILL, ("version",), JOURNEY), "version {{version}}"),
            width=8,
        ),
        lines(
            "Names that no rule reads",
            "Names of touchpoints that the journey's rules do not know: `milepost journeys fit` lists them.",
            COUNT,
            Series(now(telemetry.UNREAD_NAMES, ("journey",), JOURNEY), "{{journey}}"),
            width=8,
        ),
    ]
