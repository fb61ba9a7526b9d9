"""What keeps the events: spool, log, store and disks. Sections of the board on the pipeline."""

from deploy.grafana.boards.panels import BYTES, COUNT, PART, PER_SECOND, SECONDS, Panel, Series, lines, rows
from deploy.grafana.boards.queries import now, or_zero, per_second, share_of
from shared import telemetry


def spool() -> list[Panel]:
    """The spool of the ingest processes. One without tells nothing of it, which is 0 here."""
    return [
        lines(
            "Records in the spool",
            "Accepted records that wait on an ingest process's disk until the log takes them.",
            COUNT,
            Series(or_zero(now(telemetry.SPOOL_RECORDS, ("instance",))), "{{instance}}"),
            width=6,
        ),
        lines(
            "Room in the spool",
            "What part of the bytes that a process may spool it has spooled. At 100 % requests are refused.",
            PART,
            Series(
                or_zero(
                    share_of(
                        now(telemetry.SPOOL_BYTES, ("instance",)),
                        now(telemetry.SPOOL_LIMIT, ("instance",)),
                    )
                ),
                "{{instance}}",
            ),
            width=6,
        ),
        lines(
            "Age of the spool",
            "Of the oldest record that waits; it rises while the log takes nothing.",
            SECONDS,
            Series(or_zero(now(telemetry.SPOOL_OLDEST, ("instance",), how="max")), "{{instance}}"),
            width=6,
        ),
        lines(
            "Into and out of the spool",
            "Records spooled, drained to the log later, or given back damaged by the disk; and requests refused for "
            "want of room or of a disk.",
            PER_SECOND,
            Series(or_zero(per_second(telemetry.SPOOLED)), "spooled"),
            Series(or_zero(per_second(telemetry.SPOOL_DRAINED)), "drained"),
            Series(or_zero(per_second(telemetry.SPOOL_BROKEN)), "damaged"),
            Series(or_zero(per_second(telemetry.SPOOL_REFUSED)), "refused"),
            width=6,
        ),
    ]


def storage() -> list[Panel]:
    """The log, the store and their disks; and the processes that use them."""
    return [
        lines(
            "Size of the store",
            "The database's.",
            BYTES,
            Series(now(telemetry.STORE_BYTES, how="max"), "store"),
            width=6,
        ),
        lines(
            "Records on the log",
            "That it keeps, by partition.",
            COUNT,
            Series(now(telemetry.LOG_RECORDS, ("partition",)), "partition {{partition}}"),
            width=6,
            stacked=True,
        ),
        lines(
            "Disks",
            "What part of the disk under each folder is in use.",
            PART,
            Series(disk_in_use(), "{{folder}} of {{instance}}"),
            width=6,
        ),
        rows(
            "Processes",
            "How many run of each service, in which version.",
            COUNT,
            f"count by (job, version) ({telemetry.BUILD_INFO.name})",
            columns=("job", "version"),
            value="processes",
            width=6,
        ),
    ]


def disk_in_use() -> str:
    """What part of the disk under each folder of a process's is in use."""
    by = ("folder", "instance")
    return f"1 - {share_of(now(telemetry.DISK_FREE_BYTES, by), now(telemetry.DISK_BYTES, by))}"
