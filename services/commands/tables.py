"""Tables, instants and what others sent, as a terminal shows them."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import click
import msgspec

from shared.events import SECOND

#: What would move the cursor, turn round what follows, or worse, instead of being shown.
_TURNS = r"\u202a-\u202e\u2066-\u2069"
#: The first alternative is an isolate that is closed, as sentences have them: it turns nothing but what is in it.
_CONTROL = re.compile(rf"\u2068[^\x00-\x1f\x7f-\x9f{_TURNS}]*\u2069|[\x00-\x1f\x7f-\x9f{_TURNS}]")
_CONTROL_IN_TEXT = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_TURNS}]")
#: An escaped backslash, or letters that JSON's writer escaped.
_ESCAPES = re.compile(r"\\\\|((?:\\u[0-9a-fA-F]{4})+)")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints rows under their heads; numbers stand on the right."""
    body = [list(row) for row in rows]
    lines = [list(head), *([f"{one:,}" if isinstance(one, int) else plain(str(one)) for one in row] for row in body)]
    right = [all(isinstance(row[column], int) for row in body) for column in range(len(head))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = (f"{text:{'>' if r else '<'}{width}}" for text, width, r in zip(line, widths, right, strict=True))
        click.echo("  ".join(cells).rstrip())


def instant(at: int | None) -> str:
    """An instant to the second, in UTC; nothing for None."""
    return "" if at is None else f"{datetime.fromtimestamp(at // SECOND, UTC):%F %T}"


def plain(text: str) -> str:
    """A text of others on one line, its control characters written as \\x1b and the like."""
    return _CONTROL.sub(_escaped, text)


def readable(value: bytes) -> str:
    """JSON with indents and its letters as letters, otherwise as it is; what is no text is written as \\xff."""
    try:
        text = _ESCAPES.sub(_letters, msgspec.json.format(value, indent=2).decode())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        text = value.decode("utf-8", "backslashreplace")
    return _CONTROL_IN_TEXT.sub(_escaped, text)


def _escaped(found: "re.Match[str]") -> str:
    if len(found[0]) > 1:
        return found[0]
    code = ord(found[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def _letters(found: "re.Match[str]") -> str:
    """The same JSON: what has to be escaped stays so."""
    letters: str = json.loads(f'"{found[1]}"') if found[1] else ""
    return letters if letters and letters.isprintable() and not {'"', "\\"} & set(letters) else found[0]
