"""The properties, for as long as wanted: `python -m tests.properties.long --minutes 60 [--seed 7]`.

Round after round, each with the next seed, which is told, until the time is over (a round that has begun is finished)
or a property fails. The command that repeats the failed round is told, too.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import click

ROOT = Path(__file__).parents[2]

#: Store = derive, derive = oracle, what was known = derive of what had been recorded; folds, due times and turns.
PROPERTIES = (
    "tests/oracle/test_oracle_properties.py",
    "tests/properties/test_oracle_agrees.py",
    "tests/properties/test_engine.py",
    "tests/properties/test_stager.py",
    "tests/properties/test_known.py",
    "tests/properties/test_versions.py",
    "tests/properties/test_exclusions.py",
    "tests/properties/test_retractions.py",
    "tests/unit/journeys/test_conditions.py",
)


def main(arguments: list[str]) -> int:
    """Runs the rounds; 0 if all of them held."""
    parser = argparse.ArgumentParser("python -m tests.properties.long")
    parser.add_argument("--minutes", type=float, default=10, help="no round begins later than this (default: 10)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32), help="the first round's")
    parser.add_argument("--only", metavar="FILE", nargs="+", default=PROPERTIES, help="these files of properties")
    asked = parser.parse_args(arguments)
    until, seed = time.monotonic() + asked.minutes * 60, int(asked.seed)
    while held(seed, asked.only):
        if time.monotonic() >= until:
            return 0
        seed += 1
    only = "" if asked.only is PROPERTIES else f" --only {' '.join(asked.only)}"
    click.echo(f"Again: python -m tests.properties.long --minutes 0 --seed {seed}{only}")
    return 1


def held(seed: int, files: list[str]) -> bool:
    """Whether one round holds; CI's repeated examples are none of a long run's."""
    click.echo(f"Seed {seed}")
    command = [sys.executable, "-m", "pytest", "-q", "-x", f"--hypothesis-seed={seed}", *files]
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
