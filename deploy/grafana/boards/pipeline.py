"""Whether what comes in is counted, how soon, and what waits or fails: for operations."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.boards import keeping
from deploy.grafana.boards.board import Section, board
from deploy.grafana.boards.panels import (
    COUNT,
    PART,
    PER_SECOND,
    SECONDS,
    Panel,
    Series,
    least,
    lines,
    number,
)
from deploy.grafana.boards.queries import now, or_zero, per_second, quantile, share_of
from shared import telemetry

TAKEN, COUNTED = {"result": "~accepted|refused"}, {"result": "~staged|duplicate|dead_letter|lost"}
PROJECT = "{{project}}"


def made() -> Dashboard:
    """The board."""
    return board(
        "pipeline",
        "Pipeline",
        "Whether what comes in is counted, how soon, and what waits or fails.",
        [
            Section("Health", [*_health(), *_faults()]),
            Section("Events", _events()),
            Section("Lag and latency", _latency()),
            Section("Stagers", _stagers()),
            Section("What waits", _waiting()),
            Section("Spool", keeping.spool()),
            Section("Log and store", keeping.storage()),
        ],
    )


def _health() -> list[Panel]:
    return [
        least(
            "Store",
            "1: the store answers every metrics service. If not, what it knows is missing here, and not old.",
            COUNT,
            Series(now(telemetry.STORE_UP, how="min"), "up"),
            good=1,
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
            "Lag",
            "Records on the log that are not staged yet.",
            COUNT,
            Series(now(telemetry.LOG_LAG), "records"),
            warn=10_000,
            bad=1_000_000,
        ),
        number(
            "Visible within",
            "The time from received to visible in the store, for 99 % of the batches' newest records.",
            SECONDS,
            Series(quantile(0.99, telemetry.VISIBLE_SECONDS), "99 %"),
            warn=1,
            bad=10,
        ),
        number(
            "Refused",
            "What part of the events that come in is refused.",
            PART,
            Series(
                or_zero(
                    share_of(
                        per_second(telemetry.EVENTS, (), {"result": "refused"}), per_second(telemetry.EVENTS, (), TAKEN)
                    )
                ),
                "refused",
            ),
            warn=0.01,
            bad=0.1,
        ),
        number(
            "Disk in use",
            "The fullest disk under a folder of ours.",
            PART,
            Series(f"max({keeping.disk_in_use()})", "in use"),
            warn=0.8,
            bad=0.9,
        ),
    ]


def _faults() -> list[Panel]:
    return [
        number(
            "Dead letters",
            "On the log, not to be decoded, and not replayed yet: `milepost dead-letters list` shows them.",
            COUNT,
            Series(now(telemetry.DEAD_LETTERS, how="max"), "records"),
            warn=1,
        ),
        number(
            "Quarantined",
            "Customers set aside in a journey because deriving it failed: a fault of ours.",
            COUNT,
            Series(now(telemetry.QUARANTINED), "customers"),
            bad=1,
        ),
        number(
            "Unaccounted",
            "Records passed on the log that became nothing. Not 0 is a fault: `milepost check` tells more.",
            COUNT,
            Series(now(telemetry.UNACCOUNTED), "records"),
            bad=1,
        ),
        number(
            "Stages off",
            "How far counts of customers and of moves differ, at most. Not 0 is a fault.",
            COUNT,
            Series(f"max(abs({now(telemetry.STAGE_DIFFERENCE, ('project', 'journey', 'version'))}))", "customers"),
            bad=1,
        ),
        number(
            "Partitions stopped",
            "Their records are no longer on the log.",
            COUNT,
            Series(now(telemetry.STAGER_PARTITIONS_STOPPED), "partitions"),
            bad=1,
        ),
        number(
            "Series left out",
            "Series of stages and moves that are not shown, as there are more than a setting allows.",
            COUNT,
            Series(now(telemetry.LEFT_OUT), "series"),
            warn=1,
        ),
    ]


def _events() -> list[Panel]:
    return [
        lines(
            "Events by result",
            "Each is accepted or refused; what was accepted becomes staged, a duplicate, a dead letter, or is lost.",
            PER_SECOND,
            Series(per_second(telemetry.EVENTS, ("result",), TAKEN), "{{result}}"),
            Series(per_second(telemetry.EVENTS, ("result",), COUNTED), "{{result}}"),
            width=8,
        ),
        lines(
            "Refusals by code",
            "Events and requests refused, by the code of the answer. The board Ingest has more.",
            PER_SECOND,
            Series(or_zero(per_second(telemetry.REFUSED, ("code",))), "{{code}}"),
            width=8,
            stacked=True,
        ),
        lines(
            "Statements not followed",
            "Statements of who is who that were kept but not followed, by the code under which they are listed.",
            PER_SECOND,
            Series(per_second(telemetry.STATEMENTS_UNFOLLOWED, ("code",)), "{{code}}"),
            width=8,
        ),
    ]


def _latency() -> list[Panel]:
    return [
        lines(
            "Lag by partition",
            "Records on the log that are not staged yet. One that rises alone: its stager stands still.",
            COUNT,
            Series(now(telemetry.LOG_LAG, ("partition",)), "partition {{partition}}"),
            width=8,
        ),
        lines(
            "Lag in time",
            "Time since what a partition has received is staged; the highest is the freshness.",
            SECONDS,
            Series(now(telemetry.LOG_LAG_SECONDS, ("partition",)), "partition {{partition}}"),
            width=8,
        ),
        lines(
            "Accepted to visible",
            "From received to visible in the store, for the newest record of each batch.",
            SECONDS,
            *(Series(quantile(part, telemetry.VISIBLE_SECONDS), f"{part:.0%}") for part in (0.5, 0.95, 0.99)),
            width=8,
        ),
    ]


def _stagers() -> list[Panel]:
    return [
        lines(
            "Records staged",
            "Log records read and written, by process.",
            PER_SECOND,
            Series(per_second(telemetry.STAGER_RECORDS, ("instance",)), "{{instance}}"),
            width=6,
            stacked=True,
        ),
        lines(
            "Time of a batch and of a commit",
            "To stage and write one batch, and of that to write and commit one transaction: 99 % take no longer.",
            SECONDS,
            Series(quantile(0.99, telemetry.STAGER_BATCH_SECONDS), "batch"),
            Series(quantile(0.99, telemetry.STAGER_WRITE_SECONDS), "commit"),
            width=6,
        ),
        lines(
            "Work begun again",
            "By reason. Conflict: customers active in several partitions at once; fenced: another stager has taken "
            "over; unavailable: log or store did not answer.",
            PER_SECOND,
            Series(per_second(telemetry.STAGER_RETRIES, ("reason",)), "{{reason}}"),
            width=6,
        ),
        lines(
            "Partitions held",
            "Each is held by one process; together they should be all.",
            COUNT,
            Series(now(telemetry.STAGER_PARTITIONS_HELD, ("instance",)), "{{instance}}"),
            width=6,
            stacked=True,
        ),
    ]


def _waiting() -> list[Panel]:
    return [
        lines(
            "Deriver's queue",
            "Customers waiting to be derived anew: until then they are counted where they stood.",
            COUNT,
            Series(now(telemetry.DERIVER_QUEUE, ("project",)), PROJECT),
            width=6,
        ),
        lines(
            "Timers due",
            "Customers whose next move by time is due and not made yet.",
            COUNT,
            Series(now(telemetry.TIMERS_DUE, ("project",)), PROJECT),
            width=6,
        ),
        lines(
            "Back-fills",
            "How far each version of a journey has come through the customers that were there before it.",
            PART,
            Series(now(telemetry.BACKFILL, ("project", "journey", "version")), "{{project}} {{journey}} {{version}}"),
            width=6,
        ),
        lines(
            "Exclusions and amendments",
            "Exclusions that stand, and those, retractions and undoings of which not all customers are found yet.",
            COUNT,
            Series(now(telemetry.EXCLUSIONS, ("project",)), "exclusions of {{project}}"),
            Series(now(telemetry.AMENDING, ("project",)), "open in {{project}}"),
            width=6,
        ),
    ]
