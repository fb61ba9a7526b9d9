"""What is downloaded or built once, kept between runs in .cache/ under a name made from its inputs."""

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.support.need import need
from tests.support.processes import CACHE


def cached(part: str, inputs: list[Path], build: Callable[[Path], None]) -> Path:
    """The folder that `build(folder)` filled, built again only when an input's content changes.

    Two runs at once build it once. A build that fails (an AssertionError) leaves nothing behind and counts as
    the part missing, as without a network.
    """
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in inputs)).hexdigest()[:12]
    folder = CACHE / f"{part.lower()}-{digest}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{part.lower()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "complete"
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            try:
                build(folder)
            except BaseException as failure:
                shutil.rmtree(folder)
                if isinstance(failure, AssertionError):
                    need(part, None, str(failure))
                raise
            done.touch()
    return folder


def temporary_folder(owner: str | None = None) -> Path:
    """A new folder that `owner` (this user unless named) can reach; the caller removes it.

    pytest's own temporary folders are closed to other users, and a server may have to run as one.
    """
    folder = Path(tempfile.mkdtemp(prefix="milepost-"))
    if owner is not None:
        shutil.chown(folder, owner, owner)
    return folder
