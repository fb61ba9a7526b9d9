"""The disks that a process writes to, as metrics: asked of the system at every scrape."""

import os
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry

from shared import telemetry


def watch_disk(name: str, folder: Path, registry: CollectorRegistry) -> None:
    """Tells the size of the disk under a folder and what is left of it, under a name: `data` or `spool`."""
    for metric, blocks in ((telemetry.DISK_BYTES, "f_blocks"), (telemetry.DISK_FREE_BYTES, "f_bavail")):
        metric.new(registry).labels(name).set_function(partial(_bytes, folder, blocks))


def _bytes(folder: Path, blocks: str) -> float:
    """Not a number while the folder cannot be reached: a scrape tells the rest all the same."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return float("nan")
    return float(getattr(found, blocks) * found.f_frsize)
