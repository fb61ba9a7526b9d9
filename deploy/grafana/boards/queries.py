"""PromQL over the metrics of the catalogue, read as docs/metrics.md says.

What the store knows is the same on every replica, so the greatest of them is taken; what a process counts is added up.
A metric knows which of the two it is, so a board only says what it wants to see of it, and by which labels.
"""

from collections.abc import Iterable, Mapping

from shared.metric import Counter, Gauge, Histogram, Metric
from shared.telemetry import JOURNEY_VERSION

#: The window of a rate, which Grafana makes of a panel's step and the scrape interval; and the period on display.
WINDOW, PERIOD = "$__rate_interval", "$__range"

#: Labels by the value wanted; a value that begins with ~ is a regular expression, with !~ one that must not match.
Where = Mapping[str, str]
ANYWHERE: Where = {}

#: The journey that a board's variables name.
JOURNEY: Where = {"project": "$project", "journey": "$journey"}
#: Moves of it that happened just now, and those with what was learnt later: by late events, say. Never history that is
#: counted anew.
HAPPENED: Where = {**JOURNEY, "cause": "~live|timer|manual"}
LEARNT: Where = {**JOURNEY, "cause": "!~backfill|rollback"}


def selector(metric: Metric, where: Where = ANYWHERE) -> str:
    """The metric's series. Raises ValueError for a label that it does not have."""
    _check(metric, where)
    matchers = ", ".join(_matcher(label, value) for label, value in where.items())
    return f"{metric.name}{{{matchers}}}" if matchers else metric.name


def now(metric: Gauge, by: Iterable[str] = (), where: Where = ANYWHERE, how: str = "sum") -> str:
    """A gauge's value: by the labels the sum of them, or the `max` or `min`."""
    return _by(how, metric, by, _told_once(metric, where, selector(metric, where)))


def per_second(metric: Counter, by: Iterable[str] = (), where: Where = ANYWHERE) -> str:
    """How fast a counter rises."""
    return _by("sum", metric, by, _told_once(metric, where, f"rate({selector(metric, where)}[{WINDOW}])"))


def moves_per_hour(metric: Counter, by: Iterable[str], where: Where) -> str:
    """How many moves are written to the ledger an hour, in the version that answers."""
    rate = _told_once(metric, where, f"rate({selector(metric, where)}[{WINDOW}])")
    return f"3600 * {_by('sum', metric, by, _answering(rate))}"


def moves(metric: Counter, by: Iterable[str], where: Where, less: Counter | None = None) -> str:
    """How many moves were written to the ledger in the period on display, in the version that answers, `less` others.

    The ledger's counters never fall, so what they were at the period's beginning is taken off what they are now. Where
    nothing is known of the beginning, nor of the hour before it, that is 0.
    """
    end, beginning = _ends(metric, where)
    parts = [end, f"-{beginning}"]
    if less is not None:
        end, beginning = _ends(less, where)
        parts += [f"-{end}", beginning]
    # Without a label that tells the parts apart, `or` would take the first alone.
    apart = [f'label_replace({part}, "part", "{number}", "", "")' for number, part in enumerate(parts)]
    return _by("sum", metric, by, _answering(f"({' or '.join(apart)})"))


def quantile(share: float, metric: Histogram, by: Iterable[str] = ()) -> str:
    """The seconds within which this share of what was observed lies."""
    return f"histogram_quantile({share:g}, {buckets(metric, by)})"


def buckets(metric: Histogram, by: Iterable[str] = ()) -> str:
    """How many observations fall per second into each bucket and those below it."""
    _check(metric, by)
    return f"sum by ({', '.join(('le', *by))}) (rate({metric.name}_bucket[{WINDOW}]))"


def observations(metric: Histogram) -> str:
    """How many observations are made per second."""
    return f"sum(rate({metric.name}_count[{WINDOW}]))"


def share_of(part: str, whole: str, each: str = "") -> str:
    """A part over its whole, where there is a whole; `each` names the label of whose values each is one."""
    matching = f"on ({each}) group_left () " if each else ""
    return f"{part} / {matching}({whole} > 0)"


def or_zero(query: str) -> str:
    """The query, or 0 where there is nothing to see."""
    return f"{query} or on () vector(0)"


def some(query: str) -> str:
    """The query, without what is 0."""
    return f"{query} > 0"


def values(metric: Metric, label: str, where: Where = ANYWHERE) -> str:
    """What a variable of a board may be."""
    _check(metric, (label,))
    return f"label_values({selector(metric, where)}, {label})"


def _answering(moved: str) -> str:
    version = _told_once(JOURNEY_VERSION, ANYWHERE, selector(JOURNEY_VERSION))
    return f"{moved} * on (project, journey, version) group_left () {version}"


def _ends(metric: Counter, where: Where) -> tuple[str, str]:
    """What a counter is at the end of the period on display, and what it was at its beginning."""
    series = selector(metric, where)
    return _told_once(metric, where, series), _told_once(metric, where, f"last_over_time({series}[1h] offset {PERIOD})")


def _told_once(metric: Metric, where: Where, series: str) -> str:
    """The series of one replica, if the store tells them. Raises ValueError if it is only some of them that it does."""
    stored = {metric.owner == "store"}
    if metric.stored:
        (label,) = metric.labels
        stored = {value in metric.stored for value in where[label].removeprefix("~").split("|")}
    (once,) = stored
    return f"max without (instance) ({series})" if once else series


def _matcher(label: str, value: str) -> str:
    if value.startswith("!~"):
        return f'{label}!~"{value[2:]}"'
    return f'{label}=~"{value[1:]}"' if value.startswith("~") else f'{label}="{value}"'


def _by(how: str, metric: Metric, by: Iterable[str], series: str) -> str:
    labels = tuple(by)
    _check(metric, labels)
    return f"{how} by ({', '.join(labels)}) ({series})" if labels else f"{how}({series})"


def _check(metric: Metric, labels: Iterable[str]) -> None:
    """Every label is the metric's, or one that Prometheus gives to what it scrapes."""
    unknown = set(labels) - {*metric.labels, "job", "instance"}
    if unknown:
        raise ValueError(f"{metric.name} has no label {', '.join(sorted(unknown))}")
