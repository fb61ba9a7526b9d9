"""Prometheus as it is deployed, over the real services after the demo."""

import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from shared.metric import Histogram
from shared.telemetry import CATALOG
from tests.support.processes import Processes, wait_until
from tests.support.prometheus import Deployed, promtool, rules
from tests.support.up import Up, milepost

HISTOGRAM = ("_bucket", "_count", "_sum")


def shop(up: Up, seed: int) -> None:
    """Sends a small shop, and waits until it is staged."""
    size = ("--customers", "40", "--months", "3", "--seed", str(seed))
    milepost("demo", "--url", up.url, "--key", up.key, "--token", up.token, *size, data=up.data)


@pytest.mark.timeout(300)
def test_every_rule_has_data_and_no_alert_fires(processes: Processes, tmp_path: Path) -> None:
    """Each recording rule gives samples, only the dead man's switch fires, and nothing is scraped that the catalogue
    does not declare, nor with other labels."""
    up = Up(processes, tmp_path / "data")
    shop(up, 1)
    refused = httpx.post(f"{up.url}/v1/track", json={"writeKey": up.key, "userId": "u1"})
    assert refused.status_code == 400
    address = f"127.0.0.1:{up.port}"
    with Deployed({job: [address] for job in ("ingest", "stager", "metrics")}) as prometheus:
        wait_until(lambda: prometheus.value("count(up == 1)") == 3, within=30)
        shop(up, 2)
        wait_until(lambda: prometheus.value("sum(milepost:moves:rate5m) > 0"), within=60)
        empty = set(rules("record"))

        def filled() -> bool:
            empty.difference_update([name for name in empty if prometheus.query(name)])
            return not empty

        wait_until(filled, within=60)
        page = httpx.get(f"{up.url}/metrics").content
        checked = subprocess.run([promtool(), "check", "metrics"], input=page, capture_output=True, check=False)
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
        disk = shutil.disk_usage(tmp_path)
        full = {"MilepostDiskFilling"} if disk.free < 0.1 * disk.total else set()
        assert prometheus.firing() == {"MilepostDeadMansSwitch"} | full
        declared = {metric.name: set(metric.labels) for metric in CATALOG}
        for metric in CATALOG:
            if isinstance(metric, Histogram):
                declared |= {metric.name + part: {*metric.labels, "le"} for part in HISTOGRAM}
        for sample in prometheus.query('{__name__=~"milepost_.*"}'):
            labels = set(sample["metric"]) - {"__name__", "instance", "job"}
            assert labels <= declared[sample["metric"]["__name__"]], sample
