"""Files to import: read line by line whatever they are packed in, and taken up where an import broke off."""

import gzip
from pathlib import Path

import pytest

from services.commands.lines import Bookmark, opened


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_lines_by_number(pack: type[bytes], tmp_path: Path) -> None:
    """Blank lines count but are passed over; line ends of any system and a missing last one are no matter."""
    file = tmp_path / "events"
    file.write_bytes(pack(b'{"a":1}\n\n  \r\n{"b":2}\r\n{"c":3}'))
    with opened(str(file)) as source:
        assert list(source.lines(100)) == [(1, b'{"a":1}'), (4, b'{"b":2}'), (5, b'{"c":3}')]
        assert source.read() == source.size == file.stat().st_size


@pytest.mark.parametrize("end", [b"", b"\n", b"\nnext\n"])
def test_a_line_too_long(end: bytes, tmp_path: Path) -> None:
    """A line over the limit is told from the others without being held in memory; one at the limit is read."""
    file = tmp_path / "events"
    file.write_bytes(b"1234567890\n" + b"x" * (3 << 20) + end)
    with opened(str(file)) as source:
        expected = [(1, b"1234567890"), (2, None)] + ([(3, b"next")] if b"next" in end else [])
        assert list(source.lines(10)) == expected


def test_a_damaged_file(tmp_path: Path) -> None:
    """A packed file that was cut off gives the lines before the cut and then an error."""
    file = tmp_path / "events.gz"
    file.write_bytes(gzip.compress(b"one\n" * 1000)[:-8])
    with opened(str(file)) as source, pytest.raises(EOFError):
        list(source.lines(10))


def test_a_bookmark_is_of_one_file(tmp_path: Path) -> None:
    """An import goes on after the last line that was taken, of that very file; when it is done, from the beginning."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"a\nb\n")
    other.write_bytes(b"a\nc\n")
    with opened(str(one)) as source, opened(str(other)) as different:
        Bookmark(tmp_path, source).move(1)
        assert Bookmark(tmp_path, source).line == 1
        assert Bookmark(tmp_path, different).line == 0
        Bookmark(tmp_path, source).remove()
        assert Bookmark(tmp_path, source).line == 0
