"""One process's folder of spool segments. Everything here blocks, and is called from one thread at a time.

Below the spool's root each process holds a numbered folder by a lock that the kernel drops when the process dies. What
a dead process left is taken over by whoever finds it: the next process that starts, or one that runs.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shared.log.spool_file import read

#: Segments are closed at about this size: a process that dies while draining sends one of them again.
SEGMENT_BYTES = 8 << 20
#: What a disk must take before it counts as mended.
PROBE_BYTES = 256 << 10
SUFFIX, BROKEN = ".spool", ".broken"


@dataclass
class Segment:
    """A file of records. `drained` counts those that the log has taken since the process began."""

    path: Path
    size: int = 0
    records: int = 0
    drained: int = 0

    @property
    def made(self) -> int:
        """When it was begun, in nanoseconds: its oldest record is no older."""
        return int(self.path.name.partition("-")[0])


class Folder:
    """The folder held. `bytes` and `records` are those that wait to be drained."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.bytes = self.records = 0
        self._lock = lock
        self._segments: list[Segment] = []
        self._open: Segment | None = None
        self._file = -1
        for segment in sorted(path.glob("*" + SUFFIX)):
            self._add(segment)

    @property
    def oldest(self) -> float:
        """The age of the oldest record, in seconds; 0 if none waits."""
        first = next(iter(self._segments), self._open)
        return max(0.0, (time.time_ns() - first.made) / 1e9) if first else 0.0

    def write(self, frames: Sequence[bytes]) -> None:
        """Returns when all of them are durable. After an OSError each may or may not be there."""
        for part in _parts(frames, SEGMENT_BYTES):
            segment = self._open or self._begin()
            data = b"".join(part)
            try:
                _write(self._file, data)
                os.fsync(self._file)
            except OSError:
                # What the disk holds now is not known, so nothing may follow it in this file.
                with suppress(OSError):
                    os.ftruncate(self._file, segment.size)
                self.seal()
                raise
            segment.size += len(data)
            segment.records += len(part)
            self.bytes += len(data)
            self.records += len(part)
            if segment.size >= SEGMENT_BYTES:
                self.seal()

    def seal(self) -> None:
        """Closes the segment that is being written: the next record begins another one."""
        if segment := self._open:
            self._open = None
            os.close(self._file)
            self._segments.append(segment)

    def first(self) -> Segment | None:
        """The oldest segment, closed; None if nothing waits."""
        if not self._segments:
            self.seal()
        return next(iter(self._segments), None)

    def drop(self, segment: Segment, damaged: bool) -> None:
        """Forgets a segment that was drained: deletes it, or keeps a damaged one beside the others for a person.

        Raises OSError where the disk refuses; the segment is then read again by the next process.
        """
        self._segments.remove(segment)
        self.bytes -= segment.size
        self.records -= segment.records
        if damaged:
            segment.path.rename(segment.path.with_suffix(BROKEN))
        else:
            segment.path.unlink()

    def adopt(self, room: int) -> int:
        """Moves in what dead processes left, up to so many bytes; returns the number of segments."""
        found = 0
        for other in _folders(self.path.parent):
            if other == self.path or not (orphans := sorted(other.glob("*" + SUFFIX))):
                continue
            if (lock := _hold(other)) is None:
                continue
            try:
                for orphan in orphans:
                    with suppress(FileNotFoundError):  # another process was quicker
                        if (size := orphan.stat().st_size) <= room:
                            self._add(orphan.rename(self.path / orphan.name))
                            room -= size
                            found += 1
            finally:
                os.close(lock)
        if found:
            self._segments.sort(key=lambda segment: segment.path.name)
            _sync(self.path)
        return found

    def probe(self) -> None:
        """Raises OSError if the disk does not take as much as a few requests need."""
        path = self.path / "probe"
        try:
            with path.open("wb") as file:
                file.write(bytes(PROBE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        finally:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Lets go of the folder."""
        self.seal()
        os.close(self._lock)

    def _begin(self) -> Segment:
        path = self.path / f"{time.time_ns():020}-{secrets.token_hex(4)}{SUFFIX}"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _sync(self.path)
        except OSError:
            os.close(file)
            raise
        self._file, self._open = file, Segment(path)
        return self._open

    def _add(self, path: Path) -> None:
        data = path.read_bytes()
        segment = Segment(path, len(data), len(read(data).entries))
        self._segments.append(segment)
        self.bytes += segment.size
        self.records += segment.records


def take(root: Path) -> Folder:
    """The first folder below the root that no living process holds, with what lies in it. Raises OSError."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = 1
    while True:
        path = root / str(number)
        path.mkdir(mode=0o700, exist_ok=True)
        if (lock := _hold(path)) is not None:
            return Folder(path, lock)
        number += 1


def waiting(root: Path) -> tuple[int, int, list[Path]]:
    """Whatever process it is of: the records and bytes that wait, and the damaged segments that were set aside."""
    records = size = 0
    aside: list[Path] = []
    for folder in _folders(root):
        aside += sorted(folder.glob("*" + BROKEN))
        for path in folder.glob("*" + SUFFIX):
            with suppress(FileNotFoundError):  # drained meanwhile
                data = path.read_bytes()
                size += len(data)
                records += len(read(data).entries)
    return records, size, aside


def _folders(root: Path) -> list[Path]:
    return sorted((path for path in root.glob("*") if path.name.isdecimal()), key=lambda path: int(path.name))


def _hold(folder: Path) -> int | None:
    """The folder's lock; None if a living process has it."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return lock


def _parts(frames: Sequence[bytes], size: int) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    held = 0
    for one in frames:
        part.append(one)
        held += len(one)
        if held >= size:
            yield part
            part, held = [], 0
    if part:
        yield part


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _sync(folder: Path) -> None:
    """Makes the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
