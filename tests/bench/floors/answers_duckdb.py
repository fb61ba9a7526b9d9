"""The questions of `tests.bench.answers` in plain DuckDB, as fast as its SQL was found to answer them.

Codes and times are whole numbers there, too, and rows lie sorted by customer and time: nothing is parsed or sorted that
the kernels do not parse or sort. Each step of the funnel is an ASOF join from every start.
"""

import importlib
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from shared.events import DAY

START = 20_454 * DAY
NOW = START + 90 * DAY
#: The funnel's names, by their codes.
STEPS = (0, 3, 6, 9)
WINDOW = 7 * DAY
WEEK = 7 * DAY
#: So many of the most frequent variants, each cut after so many steps.
VARIANTS, LONGEST = 20, 20
#: Retention's weeks.
WEEKS = 12


def installed() -> bool:
    """Whether DuckDB is there: nothing else needs it."""
    return find_spec("duckdb") is not None


def _connect(folder: Path) -> Any:
    return importlib.import_module("duckdb").connect(str(folder / "floor.duckdb"))


def load(folder: Path) -> None:
    """Fills DuckDB's own file."""
    database = _connect(folder)
    for table, columns in {
        "touchpoints": "customer::INTEGER AS customer, moment, type::TINYINT AS type, name::TINYINT AS name,"
        " channel::TINYINT AS channel",
        "moves": "customer::INTEGER AS customer, moment, target::TINYINT AS target",
    }.items():
        with np.load(folder / f"{table}.npz") as file:
            database.register("given", {name: file[name] for name in file.files})
            database.execute(f"CREATE TABLE {table} AS SELECT {columns} FROM given")
            database.unregister("given")
    database.close()


def questions(folder: Path, channels: Sequence[str]) -> dict[str, Callable[[], Any]]:
    """Each question under its name, to be asked as often as wanted."""
    database = _connect(folder)

    def rows(sql: str) -> list[list[Any]]:
        return [list(row) for row in database.execute(sql).fetchall()]

    return {
        "funnel": lambda: _steps(rows(FUNNEL + STEPS_OF.format(by="0", more=""))[0][1:]),
        "funnel by channel": lambda: {
            channels[row[0]]: _steps(row[1:]) for row in rows(FUNNEL + STEPS_OF.format(by="channel", more=FIRST))
        },
        "weekly retention": lambda: _cohorts(rows(RETENTION)),
        "paths and variants": lambda: [rows(FOLLOWS), rows(SEQUENCES)],
        "time in stage": lambda: rows(STAYS),
    }


def _steps(row: list[Any]) -> list[list[Any]]:
    count = len(STEPS)
    firsts, previous = [None, *row[count : 2 * count - 1]], [None, *row[2 * count - 1 :]]
    return [list(step) for step in zip(row[:count], firsts, previous, strict=True)]


def _cohorts(rows: list[list[Any]]) -> list[list[Any]]:
    """A line for each cohort: its size, then how many came of how many whose week has ended."""
    made: dict[int, tuple[int, int, dict[int, int]]] = {}
    for cohort, size, ended, week, came in rows:
        made.setdefault(cohort, (size, ended, {}))[2][week] = came
    return [
        [size, *([came.get(week, 0), size] if week < ended else [0, 0] for week in range(WEEKS))]
        for _, (size, ended, came) in sorted(made.items())
    ]


def _chain() -> str:
    """From every start the first match of each next step, within the window."""
    parts = [f"s0 AS (SELECT customer, moment AS t0 FROM touchpoints WHERE name = {STEPS[0]})"]
    for number, name in enumerate(STEPS[1:], 1):
        before = f"s{number - 1}"
        parts.append(
            f"s{number} AS (SELECT {before}.*, CASE WHEN next.moment <= t0 + {WINDOW} THEN next.moment END AS t{number}"
            f" FROM {before} ASOF LEFT JOIN (SELECT customer, moment FROM touchpoints WHERE name = {name}) next"
            f" ON {before}.customer = next.customer AND {before}.t{number - 1} < next.moment)"
        )
    return ", ".join(parts)


_LAST = len(STEPS) - 1
_DEPTH = " + ".join(["1", *(f"(t{number} IS NOT NULL)::BIGINT" for number in range(1, len(STEPS)))])

#: The deepest path of each customer, of equally deep ones the earliest.
FUNNEL = f"""
WITH {_chain()},
paths AS (SELECT *, {_DEPTH} AS depth FROM s{_LAST}),
best AS (
    SELECT customer, max(depth) AS depth,
        unnest(arg_min({{{", ".join(f"'t{number}': t{number}" for number in range(len(STEPS)))}}},
            ({len(STEPS)} - depth) * {1 << 52} + t0))
    FROM paths GROUP BY customer
)"""

STEPS_OF = f"""
SELECT {{by}} AS by, {", ".join(f"count(t{number})" for number in range(len(STEPS)))},
    {", ".join(f"median(t{number} - t0)" for number in range(1, len(STEPS)))},
    {", ".join(f"median(t{number} - t{number - 1})" for number in range(1, len(STEPS)))}
FROM best {{more}} GROUP BY ALL"""

FIRST = (
    "JOIN (SELECT customer, arg_min(channel, moment) AS channel FROM touchpoints GROUP BY customer) USING (customer)"
)

#: Weeks begin on Mondays: day 4 was one.
RETENTION = f"""
WITH weeks AS (SELECT customer, type, (moment - {4 * DAY}) // {WEEK} AS week FROM touchpoints),
began AS (SELECT customer, min(week) AS cohort FROM weeks GROUP BY customer),
sizes AS (SELECT cohort, count(*) AS size, {(NOW - 4 * DAY) // WEEK} - cohort AS ended FROM began GROUP BY cohort),
came AS (
    SELECT cohort, week - cohort AS k, count(*) AS n
    FROM (SELECT DISTINCT customer, week FROM weeks WHERE type < 2) JOIN began USING (customer) GROUP BY ALL
)
SELECT cohort, size, ended, coalesce(k, -1), coalesce(n, 0) FROM sizes LEFT JOIN came USING (cohort)"""

FOLLOWS = """
SELECT name, next, count(*), median(gap), avg(gap)
FROM (
    SELECT name, lead(name) OVER mine AS next, lead(moment) OVER mine - moment AS gap
    FROM touchpoints WHERE type < 2 WINDOW mine AS (PARTITION BY customer ORDER BY moment)
)
WHERE next IS NOT NULL GROUP BY name, next ORDER BY name, next"""

SEQUENCES = f"""
SELECT steps, more, count(*) AS n
FROM (
    SELECT list(name ORDER BY moment)[:{LONGEST}] AS steps, count(*) > {LONGEST} AS more
    FROM touchpoints WHERE type < 2 GROUP BY customer
)
GROUP BY steps, more ORDER BY n DESC, steps, more LIMIT {VARIANTS}"""

STAYS = f"""
WITH stays AS (
    SELECT target AS stage, coalesce(until, {NOW}) - moment AS length, until IS NOT NULL AS ended
    FROM (SELECT target, moment, lead(moment) OVER (PARTITION BY customer ORDER BY moment) AS until FROM moves)
),
told AS (
    SELECT stage, count(*) FILTER (ended) AS completed, avg(length) FILTER (ended) AS mean,
        quantile_cont(length, [0.5, 0.75, 0.9]) FILTER (ended) AS quantiles, count(*) FILTER (NOT ended) AS open
    FROM stays GROUP BY stage
),
times AS (SELECT stage, length, count(*) AS n, count(*) FILTER (ended) AS gone FROM stays GROUP BY stage, length),
risks AS (SELECT *, sum(n) OVER (PARTITION BY stage ORDER BY length DESC) AS at_risk FROM times),
curve AS (
    SELECT stage, length,
        sum(CASE WHEN gone = at_risk THEN -1e3 ELSE ln(1 - gone / at_risk) END)
            OVER (PARTITION BY stage ORDER BY length) AS log_share
    FROM risks WHERE gone > 0
),
medians AS (SELECT stage, min(length) AS median FROM curve WHERE exp(log_share) <= 0.5 + 1e-12 GROUP BY stage)
SELECT completed, mean, quantiles, open, median FROM told LEFT JOIN medians USING (stage) ORDER BY stage"""
