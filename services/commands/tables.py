"""Tables and instants, as a terminal shows them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import click

from shared.events import SECOND


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints rows under their heads; numbers stand on the right."""
    body = [list(row) for row in rows]
    lines = [list(head), *([f"{one:,}" if isinstance(one, int) else str(one) for one in row] for row in body)]
    right = [all(isinstance(row[column], int) for row in body) for column in range(len(head))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = (f"{text:{'>' if r else '<'}{width}}" for text, width, r in zip(line, widths, right, strict=True))
        click.echo("  ".join(cells).rstrip())


def instant(at: int | None) -> str:
    """An instant to the second, in UTC; nothing for None."""
    return "" if at is None else f"{datetime.fromtimestamp(at // SECOND, UTC):%F %T}"
