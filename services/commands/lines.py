"""The lines of a file to import: plain or packed, of bounded length, and where an interrupted import goes on."""

import gzip
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

GZIP = b"\x1f\x8b"
#: So many bytes from the beginning of a file, and its size, tell it from others.
HEAD = 1 << 20


class Line(NamedTuple):
    """A line by its number, from 1; `text` is None if it is longer than the limit."""

    number: int
    text: bytes | None


class Source:
    """An open file or standard input. `size` is in bytes as stored, 0: unknown; `identity` is empty if it has none."""

    def __init__(self, raw: BufferedReader, size: int, identity: str) -> None:
        self.size, self.identity = size, identity
        self._raw = raw
        self._text = gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == GZIP else raw

    def lines(self, limit: int) -> Iterator[Line]:
        """Every line that is not blank. Raises OSError or EOFError where a packed file is damaged or cut off."""
        number = 0
        while text := self._text.readline(limit + 1):
            number += 1
            if len(text) > limit and not text.endswith(b"\n"):
                while (rest := self._text.readline(HEAD)) and not rest.endswith(b"\n"):
                    pass
                yield Line(number, None)
            elif stripped := text.strip():
                yield Line(number, stripped)

    def read(self) -> int:
        """How many bytes, as stored, have been read."""
        return self._raw.tell() if self.size else 0


@contextmanager
def opened(name: str) -> Iterator[Source]:
    """The file of that name; `-` is standard input."""
    if name == "-":
        with open(sys.stdin.fileno(), "rb", closefd=False) as raw:
            yield Source(raw, 0, "")
        return
    with Path(name).open("rb") as raw:
        size = os.fstat(raw.fileno()).st_size
        head = hashlib.sha256(raw.read(HEAD))
        raw.seek(0)
        yield Source(raw, size, f"{head.hexdigest()[:24]}-{size}")


class Bookmark:
    """How many lines of a source have been taken, kept in the data folder until the source has been taken whole."""

    def __init__(self, folder: Path, source: Source) -> None:
        self._path = folder / f"import-{source.identity}" if source.identity else None
        stored = self._path.read_text() if self._path and self._path.exists() else ""
        self.line = int(stored) if stored.isdigit() else 0

    def move(self, line: int) -> None:
        """All lines up to this one are durable in the log."""
        if self._path:
            new = self._path.with_suffix(".new")
            new.write_text(str(line))
            new.replace(self._path)

    def remove(self) -> None:
        """The source was taken whole: the same file given again is read from its beginning."""
        if self._path:
            self._path.unlink(missing_ok=True)
