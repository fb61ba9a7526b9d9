"""The boards, each a module that lays out panels; `python -m deploy.grafana.boards` writes them as Grafana reads them.

A query is put together from the catalogue of metrics (`queries`), so that none can ask for a metric or a label that is
not there; `panels` knows the kinds of panels, `board` what all boards share.
"""

from collections.abc import Callable
from pathlib import Path

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.boards import ingest, journey, overview, pipeline

#: Where the boards lie, as JSON.
FOLDER = Path(__file__).resolve().parents[1] / "dashboards"

#: What makes each board, by the name of its file.
BOARDS: dict[str, Callable[[], Dashboard]] = {
    "overview": overview.made,
    "pipeline": pipeline.made,
    "ingest": ingest.made,
    "journey": journey.made,
}
