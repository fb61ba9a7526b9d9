"""The benches: `python -m tests.bench NAME [options]`, or `make bench ARGS="NAME …"`. Each prints ratios of one run."""

import runpy
import sys

BENCHES = {
    "engine": "µs to fold a touchpoint into a journey, and what each construct of the language adds",
    "store": "µs to write a realistic batch, on SQLite and on PostgreSQL",
    "ingest": "events a second through the front door beside raw floors, on both logs",
    "overload": "how long answers take at half load, and memory and answers at five times too much",
    "stager": "events a second from Kafka into PostgreSQL, beside Kafka Streams and the prototype store",
    "answers": "seconds to answer funnels, retention, paths and stays of ten million touchpoints, beside DuckDB",
    "growth": "what an event costs the stager with more journeys, customers, events of one, or after a day off",
    "counts": "milliseconds of stage counts and of a scrape at ten thousand and at a million customers",
    "feed": "microseconds and bytes a touchpoint of the analytical copy",
    "memory": "a stager's memory at ten thousand and at a million customers",
}


def main(arguments: list[str]) -> None:
    """Runs one bench with the rest of the arguments; without a name, tells which there are."""
    if not arguments or arguments[0] not in BENCHES:
        for name, about in BENCHES.items():
            print(f"{name:8} {about}")
        raise SystemExit(0 if not arguments else f"there is no bench {arguments[0]!r}")
    sys.argv = arguments
    runpy.run_module(f"tests.bench.{arguments[0]}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
