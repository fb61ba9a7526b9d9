"""Heavy questions over many touchpoints, beside the same ones in plain DuckDB over the same data, in one run.

    python -m tests.bench.answers [--touchpoints 10000000] [--customers 500000] [--rounds 3]

DuckDB is no dependency: `.venv/bin/pip install duckdb` puts it beside the rest; without it only our own numbers are
printed. Each engine has a process of its own: the kernels hold their columns in memory, DuckDB has a file of its own,
already sorted. *cold* is a question's first time, *warm* the median of the rounds after it; *peak* is the most memory
(resident, Linux) while it was asked, columns and DuckDB's cache included. What both find must be equal: whole numbers
exactly, the others to 1e-9. Ours is the whole answer that the API gives; DuckDB is spared intervals and the names of
last touchpoints.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from services.metrics.analytics import breakdown, funnels, members, paths, retention, stays
from services.metrics.analytics.columns import Columns
from services.metrics.analytics.kernels.stays import Moves
from services.metrics.analytics.selecting import selected
from shared.journeys.calendar import Calendar, Period
from shared.journeys.matcher import Matcher
from shared.journeys.state import ABSENT
from shared.touch.text import fold
from tests.bench.floors import answers_duckdb
from tests.bench.floors.answers_duckdb import NOW, START, STEPS, VARIANTS, WINDOW

NAMES = tuple(f"Name {number}" for number in range(12))
CHANNELS = tuple(f"channel {number}" for number in range(12))
TYPES = ("page", "track", "identify")
#: How often each name comes: the funnel's steps are among the frequent and the rare ones.
WEIGHTS = np.array([24, 16, 14, 10, 8, 7, 6, 5, 4, 3, 2, 1]) / 100
STAGES = 6


def make(folder: Path, touchpoints: int, customers: int) -> None:
    """Writes the columns of a heavy-tailed crowd over 90 days, sorted, and moves at every fifth touchpoint."""
    rng = np.random.default_rng(7)
    weights = np.arange(1, customers + 1) ** -0.8
    counts = 1 + rng.multinomial(touchpoints - customers, weights / weights.sum())
    rng.shuffle(counts)
    owner = np.repeat(np.arange(customers), counts)
    span = NOW - START - touchpoints
    key = owner * span + rng.integers(0, span, touchpoints)
    key.sort()
    # No customer has two at one instant, so that every engine has one order.
    at = START + key % span + np.arange(touchpoints) - np.repeat(np.cumsum(counts) - counts, counts)
    name = rng.choice(len(NAMES), touchpoints, p=WEIGHTS).astype(np.int32)
    type = np.where(rng.random(touchpoints) < 0.03, 2, name > 1).astype(np.int32)
    channel = np.minimum(rng.geometric(0.25, touchpoints) - 1, len(CHANNELS) - 1).astype(np.int32)
    np.savez(folder / "touchpoints.npz", customer=owner, moment=at, type=type, name=name, channel=channel)
    moved = np.flatnonzero(rng.random(touchpoints) < 0.2)
    target = np.cumsum(rng.integers(1, STAGES, len(moved))) % STAGES  # never the stage before
    np.savez(folder / "moves.npz", customer=owner[moved], moment=at[moved], target=target)


class World(NamedTuple):
    """What the kernels are asked of."""

    columns: Columns
    moves: Moves


def read(folder: Path) -> World:
    """The columns that `make` wrote."""
    with np.load(folder / "touchpoints.npz") as file:
        owner, at = file["customer"], file["moment"]
        codes = {dimension: file[dimension] for dimension in ("type", "name", "channel")}
    words = {"type": TYPES, "name": NAMES, "channel": CHANNELS}
    with np.load(folder / "moves.npz") as file:
        whose, when, target = file["customer"], file["moment"], file["target"]
    source = np.append(ABSENT, target[:-1])
    source[np.flatnonzero(np.diff(whose, prepend=-1))] = ABSENT
    customers = np.arange(1, int(owner[-1]) + 2)
    return World(Columns(customers, owner, at, codes, words), Moves(whose, when, source, target))


def funnel(world: World) -> Any:
    """Four steps in their order within a week, from any start."""
    columns, asked = world.columns, _asked(world.columns)
    return _steps(funnels.told(columns, asked, funnels.reached(columns, asked), NOW))


def funnel_by_channel(world: World) -> Any:
    """The same for each channel of a customer's first touchpoint."""
    columns, asked = world.columns, _asked(world.columns)
    found = funnels.reached(columns, asked)
    groups = breakdown.groups(breakdown.acquired(columns, "channel")[found.owner], CHANNELS)
    told = funnels.by_group(found, groups)
    return {name: _steps(funnels.told(columns, asked, part, NOW)) for name, part in told}


def _asked(columns: Columns) -> funnels.Asked:
    steps = [selected(columns, Matcher(names=frozenset({fold(NAMES[step])}))) for step in STEPS]
    return funnels.Asked(steps, [False] * len(steps), WINDOW, np.ones(len(columns), dtype=np.bool_))


def _steps(told: funnels.Told) -> list[list[float | None]]:
    return [[step.customers, step.from_first, step.from_previous] for step in told.steps]


def weekly_retention(world: World) -> Any:
    """Who comes back in each of the twelve weeks after their first."""
    columns = world.columns
    week = Period("week", Calendar(months="gregorian", week="monday"))
    asked = retention.Asked(week, ZoneInfo("UTC"))
    owner, start = members.firsts(columns.owner, columns.at)
    found = retention.found(columns, owner, start, members.acts(columns), asked, NOW)
    told = retention.told(found, asked)
    return [[one.size, *([cell.came.part, cell.came.whole] for cell in one.cells)] for one in told.cohorts]


def paths_and_variants(world: World) -> Any:
    """What follows what, how soon; and the most frequent whole sequences."""
    columns = world.columns
    walks = paths.over_names(columns, np.flatnonzero(members.acts(columns)), None)
    number = {name: place for place, name in enumerate(NAMES)}
    pairs = [
        [number[one.first], number[one.second], one.count, one.median, one.mean]
        for one in paths.follows(walks, len(NAMES) ** 2)
    ]
    found = paths.variants(walks, VARIANTS)
    return [sorted(pairs), [[[number[step] for step in one.steps], one.more, one.share.part] for one in found]]


def time_in_stage(world: World) -> Any:
    """Completed stays, and Kaplan and Meier's estimate with the open ones."""
    told = stays.told(stays.all_stays(world.moves, NOW), range(STAGES), 100)
    return [[one.completed, one.mean, one.quantiles, one.open, one.survival_median] for one in told]


QUESTIONS: dict[str, Callable[[World], Any]] = {
    "funnel": funnel,
    "funnel by channel": funnel_by_channel,
    "weekly retention": weekly_retention,
    "paths and variants": paths_and_variants,
    "time in stage": time_in_stage,
}


def measured(ask: Callable[[], Any], rounds: int) -> dict[str, Any]:
    """What a question finds, with seconds and MB."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    times = []
    for _ in range(1 + rounds):
        began = time.perf_counter()
        found = ask()
        times.append(time.perf_counter() - began)
    (peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return {"cold": times[0], "warm": median(times[1:]), "peak": int(peak.split()[1]) // 1024, "found": found}


def child(engine: str, folder: Path, rounds: int) -> None:
    """One engine, in a process of its own: prints what it measured."""
    if engine == "load":
        answers_duckdb.load(folder)
        return
    if engine == "duckdb":
        questions = answers_duckdb.questions(folder, CHANNELS)
        made = {name: measured(ask, rounds) for name, ask in questions.items()}
    else:
        world = read(folder)
        made = {name: measured(partial(ask, world), rounds) for name, ask in QUESTIONS.items()}
    print(json.dumps(made))


def same(one: Any, other: Any) -> bool:
    """Whether two engines found the same."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and other is not None:
        return math.isclose(one, other, rel_tol=1e-9)
    return bool(one == other)


def main(options: argparse.Namespace) -> None:
    """Makes the data, asks each engine, compares; ends with an error if they differ."""
    engines = ["kernels", "load", "duckdb"] if answers_duckdb.installed() else ["kernels"]
    if len(engines) == 1:
        print("DuckDB is not installed (.venv/bin/pip install duckdb): only our own numbers follow")
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), options.touchpoints, options.customers)
        made: dict[str, Any] = {}
        for engine in engines:
            command = [sys.executable, "-m", "tests.bench.answers", "--child", engine, "--folder", folder]
            command += ["--rounds", str(options.rounds)]
            out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            made[engine] = json.loads(out or "{}")
    print(f"{'':20}{'cold s':>9}{'warm s':>9}{'peak MB':>9}" + f"{'DuckDB cold':>13}{'warm':>9}{'MB':>7}{'×':>7}")
    differ = []
    for name, ours in made["kernels"].items():
        line = f"{name:20}{ours['cold']:9.3f}{ours['warm']:9.3f}{ours['peak']:9}"
        if theirs := made.get("duckdb", {}).get(name):
            line += f"{theirs['cold']:13.3f}{theirs['warm']:9.3f}{theirs['peak']:7}{theirs['warm'] / ours['warm']:7.2f}"
            differ += [] if same(ours["found"], theirs["found"]) else [name]
        print(line)
    if differ:
        raise SystemExit(f"the engines differ: {', '.join(differ)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--touchpoints", type=int, default=10_000_000)
    parser.add_argument("--customers", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", choices=["kernels", "load", "duckdb"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.folder, given.rounds)
    else:
        main(given)
