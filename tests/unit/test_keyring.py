"""Keys that are kept for a start without the store."""

from pathlib import Path

import pytest

from services.ingest.keys import WriteKey
from shared.store.engine import engine
from shared.store.keyring import Kept, Keyring
from shared.store.port import StoreUnavailable

KEYS = {b"a" * 32: WriteKey(7, 1, "shop", "write")}


async def test_keys_are_kept_for_a_start_without_the_store(tmp_path: Path) -> None:
    """The keys last read are in force where the store cannot be reached; where none were kept, that is told."""
    kept = Kept(tmp_path / "spool" / "keys", WriteKey)
    nowhere = engine("postgresql://nobody@127.0.0.1:1/none")

    async def load(_: object) -> dict[bytes, WriteKey]:
        return KEYS

    with pytest.raises(StoreUnavailable):
        await Keyring(nowhere, load, kept=kept).begin()
    kept.save(KEYS)
    assert Kept(tmp_path / "spool" / "keys", WriteKey).load() == KEYS
    await Keyring(nowhere, load, kept=kept).begin()
    with pytest.raises(StoreUnavailable):
        await Keyring(nowhere, load).begin()
    await nowhere.dispose()


def test_a_damaged_file_of_keys_is_no_file(tmp_path: Path) -> None:
    """What cannot be read as keys is passed over, and a folder that cannot be written does no harm."""
    path = tmp_path / "keys"
    path.write_bytes(b"\xc1 not keys")
    assert Kept(path, WriteKey).load() is None
    path.unlink()
    path.mkdir()
    Kept(path, WriteKey).save(KEYS)
    assert Kept(path, WriteKey).load() is None
