"""What others sent, as a terminal shows it."""

import pytest

from services.commands.tables import plain, readable, table


def test_a_text_of_others_moves_no_cursor() -> None:
    """Control characters are written out; letters, emoji and the joiners of Persian words are not."""
    assert plain("a\x1b[2J\r\n\x9b ok") == "a\\x1b[2J\\x0d\\x0a\\x9b ok"
    assert plain("می\u200cروم 🎉") == "می\u200cروم 🎉"
    assert plain("a\u202eb\u2066") == "a\\u202eb\\u2066"
    assert plain("\u2068a\u2069 \u2068b \u2068\x1b\u2069") == "\u2068a\u2069 \\u2068b \\u2068\\x1b\\u2069"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b'{"a":1.10,"b":["\xd8\xa8"]}', '{\n  "a": 1.10,\n  "b": [\n    "ب"\n  ]\n}'),
        (b'{"a": 1', '{"a": 1'),
        (b"two\nlines\t\x1b[31m\xff", "two\nlines\t\\x1b[31m\\xff"),
        ('{"a": "\x9b"}'.encode(), '{\n  "a": "\\x9b"\n}'),
        (b'{"a":"\\ud800"}', '{"a":"\\ud800"}'),
        (
            b'["\\u06af\\ud83c\\udf89", "\\\\u06af", "\\u0022", "\\u001b"]',
            '[\n  "گ🎉",\n  "\\\\u06af",\n  "\\u0022",\n  "\\u001b"\n]',
        ),
    ],
)
def test_a_value_is_readable(value: bytes, shown: str) -> None:
    """JSON has indents and keeps its numbers as written; whatever else is shown as it is."""
    assert readable(value) == shown


def test_a_nest_is_shown_as_it_is() -> None:
    """Nesting that nobody follows is no reason to fail."""
    assert readable(b"[" * 100_000) == "[" * 100_000


def test_a_table_is_one_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns are as wide as their widest cell, numbers stand on the right, and no cell breaks its line."""
    table(("NAME", "N"), [("a\nb", 1), ("c", 10_000)])
    assert capsys.readouterr().out == "NAME         N\na\\x0ab       1\nc       10,000\n"
