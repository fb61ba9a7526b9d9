"""Every metric there is, declared once.

A process makes its metrics from these declarations (`EVENTS.new(registry)`) and emits nothing else. What the store
knows is read from it by every replica of the metrics service alike, so a query takes the most of them (`max without
(instance)`); everything else is counted by one process for itself, so a query adds it up. `docs/metrics.md` is made
from this list.
"""

from importlib.metadata import version

from prometheus_client import CollectorRegistry

from shared.metric import Counter, Gauge, Histogram, Metric

# --- Where customers stand --------------------------------------------------------------------------------------

STAGE_CUSTOMERS = Gauge(
    "milepost_stage_customers",
    "customers",
    "Customers in each stage of a journey now, by the version that answers; stage none: active, but in no stage.",
    "store",
    ("project", "journey", "stage"),
)
JOURNEY_VERSION = Gauge(
    "milepost_journey_version",
    "1 or 0",
    "1 for the version of a journey that answers, 0 for the others that are kept up to date.",
    "store",
    ("project", "journey", "version"),
)
BACKFILL = Gauge(
    "milepost_backfill_progress",
    "0 to 1",
    "How far a version has come through the customers that were there before it; at 1 it can answer.",
    "store",
    ("project", "journey", "version"),
)
TRANSITIONS = Counter(
    "milepost_transitions_total",
    "moves",
    "Moves written to the ledger, in each version of a journey; from absent: seen for the first time.",
    "store",
    ("project", "journey", "version", "from", "to", "cause"),
)
REVERSALS = Counter(
    "milepost_reversals_total",
    "moves",
    "Moves taken back in the ledger, because they turned out not to have happened.",
    "store",
    ("project", "journey", "version", "from", "to", "cause"),
)
CONVERSIONS = Counter(
    "milepost_conversions_total",
    "moves",
    "Of those moves, the ones straight from the first to the second stage of a pair that the definition's `conversions`"
    " name.",
    "store",
    ("project", "journey", "version", "from", "to", "cause"),
)
CHURN = Counter(
    "milepost_churn_total",
    "moves",
    "Of those moves, the ones into a stage that means at-risk, churned or lapsed, from one that means something else.",
    "store",
    ("project", "journey", "version", "meaning", "cause"),
)
WIN_BACKS = Counter(
    "milepost_win_backs_total",
    "moves",
    "Of those moves, the ones by an act of the customer's out of such a stage, into one that means none of these.",
    "store",
    ("project", "journey", "version", "meaning", "cause"),
)
LEAKS = Counter(
    "milepost_leaks_total",
    "moves",
    "Of those moves, the ones out of an ordered stage to a lower one, to none, or into a stage that means at-risk,"
    " churned or lapsed.",
    "store",
    ("project", "journey", "version", "stage", "cause"),
)
STAGE_DIFFERENCE = Gauge(
    "milepost_stage_difference",
    "customers",
    "How far a version's counts of customers and of moves differ. They sum up the same ledger: not 0 is a fault.",
    "store",
    ("project", "journey", "version"),
)

# --- What became of the events ----------------------------------------------------------------------------------

EVENTS = Counter(
    "milepost_events_total",
    "events",
    "Events by what became of them: each is accepted or refused, and what was accepted becomes one of the others.",
    "ingest",
    ("result",),
    values=("accepted", "refused"),
    stored=("staged", "duplicate", "dead_letter", "lost"),
)
REFUSED = Counter(
    "milepost_refused_total",
    "events",
    "Events and requests that were refused, by the code of the answer.",
    "ingest",
    ("code",),
)
BOTS = Counter(
    "milepost_bots_total",
    "events",
    "Events of bots that were taken but count for nothing; 0 where the settings include them.",
    "ingest",
)
KEY_EVENTS = Counter(
    "milepost_key_events_total",
    "events",
    "Events by the name of the write key and the kind of SDK that they came with, and what became of them.",
    "ingest",
    ("key", "sdk", "result"),
)
UNKNOWN_PATHS = Counter(
    "milepost_unknown_paths_total",
    "requests",
    "Requests to paths that ingest does not have, by whose SDK the path looks like.",
    "ingest",
    ("family",),
    values=("segment", "rudderstack", "jitsu", "posthog", "other"),
)
LOG_LAG = Gauge(
    "milepost_log_lag_records", "records", "Records on the log that are not staged yet.", "store", ("partition",)
)
LOG_LAG_SECONDS = Gauge(
    "milepost_log_lag_seconds",
    "seconds",
    "Time since what a partition has received is staged; the highest of them is the freshness. Infinite until it ran.",
    "store",
    ("partition",),
)
LOG_RECORDS = Gauge("milepost_log_records", "records", "Records that the log keeps.", "store", ("partition",))
UNACCOUNTED = Gauge(
    "milepost_unaccounted_records",
    "records",
    "Records passed on the log that are neither staged, nor duplicates, dead letters or lost. Not 0 is a fault.",
    "store",
    ("partition",),
)
STORE_BYTES = Gauge("milepost_store_bytes", "bytes", "Size of the store's database. At most a minute old.", "store")
LEFT_OUT = Gauge(
    "milepost_series_left_out",
    "series",
    "Series of stages and moves that are not shown, as their metric has more than `MILEPOST_METRIC_SERIES`.",
    "store",
)
FRESHNESS = Gauge(
    "milepost_freshness_seconds",
    "seconds",
    "Age of the store's clock: everything received before it is counted. Infinite until a stager has run.",
    "store",
)
DEAD_LETTERS = Gauge(
    "milepost_dead_letters", "records", "Dead letters: on the log, not to be decoded, and not replayed yet.", "store"
)
QUARANTINED = Gauge(
    "milepost_quarantined",
    "customers",
    "Customers set aside in a journey because deriving it failed.",
    "store",
    ("project",),
)
DERIVER_QUEUE = Gauge(
    "milepost_deriver_queue",
    "customers",
    "Customers waiting to be derived anew: until then they are counted where they stood.",
    "store",
    ("project",),
)
EXCLUSIONS = Gauge(
    "milepost_exclusions",
    "exclusions",
    "Exclusions that stand: what they meet counts for nothing.",
    "store",
    ("project",),
)
AMENDING = Gauge(
    "milepost_amendments_open",
    "amendments",
    "Exclusions, retractions and their undoings of which not all customers have been found yet.",
    "store",
    ("project",),
)
TIMERS_DUE = Gauge(
    "milepost_timers_due",
    "customers",
    "Customers whose next move by time is due by the store's clock and not made yet.",
    "store",
    ("project",),
)
UNREAD_NAMES = Gauge(
    "milepost_unread_names",
    "names",
    "Names of touchpoints that no rule of the journey reads: `milepost journeys fit` shows them. At most a minute old.",
    "store",
    ("project", "journey"),
)

# --- How the processes are --------------------------------------------------------------------------------------

BUILD_INFO = Gauge("milepost_build_info", "1", "The version that runs.", "process", ("version",))
DISK_BYTES = Gauge(
    "milepost_disk_bytes", "bytes", "Size of the disk under a folder of this process's.", "process", ("folder",)
)
DISK_FREE_BYTES = Gauge(
    "milepost_disk_free_bytes", "bytes", "What is left of it for this process.", "process", ("folder",)
)
INGEST_SECONDS = Histogram(
    "milepost_ingest_seconds",
    "seconds",
    "Time from a request's arrival to its answer, for requests with events.",
    "ingest",
)
INGEST_BYTES = Counter("milepost_ingest_bytes_total", "bytes", "Bodies of requests with events, unpacked.", "ingest")
APPEND_SECONDS = Histogram(
    "milepost_log_append_seconds",
    "seconds",
    "Time until the log, or the spool, has made a request's events durable.",
    "ingest",
)
SPOOL_RECORDS = Gauge(
    "milepost_spool_records",
    "records",
    "Accepted records that wait on this process's disk until the log takes them.",
    "ingest",
)
SPOOL_BYTES = Gauge("milepost_spool_bytes", "bytes", "Disk that those records take.", "ingest")
SPOOL_LIMIT = Gauge("milepost_spool_limit_bytes", "bytes", "Most that they may take: `MILEPOST_SPOOL_BYTES`.", "ingest")
SPOOL_OLDEST = Gauge(
    "milepost_spool_oldest_seconds", "seconds", "Age of the oldest of those records; 0 if none waits.", "ingest"
)
SPOOLED = Counter("milepost_spooled_total", "records", "Accepted records that the log did not take in time.", "ingest")
SPOOL_DRAINED = Counter(
    "milepost_spool_drained_total", "records", "Records that the log took from the spool later.", "ingest"
)
SPOOL_REFUSED = Counter(
    "milepost_spool_refused_total",
    "requests",
    "Requests that neither the log nor the spool took, by what the spool lacked: room within its bound, or a disk.",
    "ingest",
    ("reason",),
    values=("full", "disk"),
)
SPOOL_BROKEN = Counter(
    "milepost_spool_broken_total",
    "records",
    "Spooled records, at least, that the disk gave back damaged; their files are set aside.",
    "ingest",
)
STORE_UP = Gauge(
    "milepost_store_up",
    "1 or 0",
    "Whether the store answered this metrics service; if not, it shows nothing that the store knows.",
    "process",
)
STAGER_BATCH_SECONDS = Histogram(
    "milepost_stager_batch_seconds", "seconds", "Time to stage and write one batch.", "stager"
)
STAGER_WRITE_SECONDS = Histogram(
    "milepost_stager_write_seconds", "seconds", "Time to write and commit one transaction.", "stager"
)
VISIBLE_SECONDS = Histogram(
    "milepost_visible_seconds",
    "seconds",
    "From received to visible in the store, for the newest record of each batch.",
    "stager",
)
STAGER_RECORDS = Counter("milepost_stager_records_total", "records", "Log records read and written.", "stager")
STAGER_RETRIES = Counter(
    "milepost_stager_retries_total",
    "units of work",
    "Units of work that were begun again, by reason.",
    "stager",
    ("reason",),
    values=("conflict", "fenced", "unavailable"),
)
STATEMENTS_UNFOLLOWED = Counter(
    "milepost_statements_unfollowed_total",
    "statements",
    "Statements of who is who that were kept but not followed, by the code under which they are listed as rejected.",
    "stager",
    ("code",),
    values=("alias_refused", "merge_refused"),
)
STAGER_PARTITIONS_HELD = Gauge(
    "milepost_stager_partitions_held", "partitions", "Partitions that this process works on.", "stager"
)
STAGER_PARTITIONS_STOPPED = Gauge(
    "milepost_stager_partitions_stopped",
    "partitions",
    "Partitions stopped because their records are no longer on the log.",
    "stager",
)

CATALOG = tuple(value for value in list(globals().values()) if isinstance(value, Metric))


def registry() -> CollectorRegistry:
    """What a process counts for itself: one registry for all its parts, which tells its version."""
    made = CollectorRegistry()
    BUILD_INFO.new(made).labels(version("milepost")).set(1)
    return made
