"""What is made from the code for people and editors: `python -m services.metrics.reference` writes it.

docs/metrics.md is the catalogue of metrics, docs/journeys/journey.schema.json the schema of definitions.
"""

from pathlib import Path

from shared.journeys import schema
from shared.metric import Metric
from shared.telemetry import CATALOG

_DOCS = Path(__file__).resolve().parents[2] / "docs"
FILE = _DOCS / "metrics.md"
SCHEMA = _DOCS / "journeys" / "journey.schema.json"

_HEAD = """\
# Metrics

Made by `python -m services.metrics.reference` from `shared/telemetry.py`, where every metric is declared. No process
emits any other.

## How to read them

- **From the store.** Every replica of the metrics service reads these from the store and shows the same numbers,
  whenever it was started: take one of the replicas, `max without (instance) (milepost_stage_customers)`. When the store
  does not answer they are left out rather than shown old, and `milepost_store_up` is 0.
- **Of a process.** Each ingest and stager process counts these for itself, from 0 at its start: add the processes up,
  `sum without (instance) (rate(milepost_stager_records_total[5m]))`.
- `milepost_events_total` is both, by its label: `accepted` and `refused` are counted by the ingest processes, the other
  results are read from the store. No result is counted in two places.
- No counter ever falls but when its process starts anew. A move that turns out not to have happened is not taken off
  `milepost_transitions_total`; it is added to `milepost_reversals_total`, so the difference of the two is what stands.
- A journey's versions are kept up to date side by side (see [versions](journeys/versions.md)), and each writes its own
  moves. What an alert is to hear of are the moves in the version that answers, by cause `live` or `timer`: the recorded
  rules `milepost:moves:rate5m`, `milepost:conversions:rate5m`, `milepost:churn:rate5m` and others of
  [deploy/prometheus](../deploy/prometheus/recording.yml). So a publication, its back-fill and a rollback
  raise no alarm.
- Time in a stage, by Little's law, is `milepost:stay_seconds:mean1d`; `/v1` tells the exact times from the ledger.
- Labels take few values: projects, journeys, versions, stages, causes, results, partitions, write keys. Customers are
  no label. `MILEPOST_METRIC_SERIES` bounds the series of a metric; `milepost_series_left_out` tells of those beyond it,
  the oldest versions' first. Versions that are retired are not shown.

`/metrics` asks for no token: let it be reached by Prometheus, and not from outside.
"""

_GROUPS = (
    ("store", "From the store"),
    ("ingest", "Of the ingest processes"),
    ("stager", "Of the stager processes"),
    ("process", "Of every process"),
)


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for owner, title in _GROUPS:
        parts.append(f"## {title}\n")
        parts.append("| metric | type | unit | labels | meaning |\n|---|---|---|---|---|")
        parts += [_row(metric) for metric in CATALOG if metric.owner == owner]
        parts.append("")
    return "\n".join(parts)


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    if metric.values:
        labels += ": " + ", ".join(metric.values)
    if metric.stored:
        labels += "; from the store: " + ", ".join(metric.stored)
    return f"| `{metric.name}` | {metric.kind} | {metric.unit} | {labels} | {metric.help} |"


if __name__ == "__main__":
    FILE.write_text(page(), "utf-8")
    SCHEMA.write_text(schema.spelt(), "utf-8")
