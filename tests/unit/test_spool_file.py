"""The bytes of a spool segment, and what damage to them costs."""

from hypothesis import given
from hypothesis import strategies as st

from shared.log.port import Entry
from shared.log.spool_file import MARK, chunks, frame, read

#: Values that look like frames are among them.
BYTES = st.binary(max_size=60) | st.just(MARK) | st.just(frame(Entry(b"k", b"inner")))
ENTRIES = st.lists(st.builds(Entry, BYTES, BYTES), min_size=1, max_size=8)


@given(ENTRIES)
def test_what_was_written_is_read(entries: list[Entry]) -> None:
    """Any keys and values come back as they were, in order."""
    assert read(b"".join(map(frame, entries))) == (entries, 0, 0)


@given(ENTRIES, st.data())
def test_a_torn_end_costs_what_was_never_finished(entries: list[Entry], data: st.DataObject) -> None:
    """A file cut anywhere holds the records that were whole, and no damage."""
    frames = list(map(frame, entries))
    whole = b"".join(frames)
    cut = data.draw(st.integers(0, len(whole)))
    found = read(whole[:cut])
    ends = [sum(map(len, frames[: n + 1])) for n in range(len(frames))]
    kept = sum(end <= cut for end in ends)
    assert found.entries == entries[:kept]
    assert (found.broken, found.torn) == (0, cut - (ends[kept - 1] if kept else 0))


@given(ENTRIES, st.data())
def test_a_flipped_bit_costs_one_record_and_is_noticed(entries: list[Entry], data: st.DataObject) -> None:
    """Whichever bit is flipped: every other record is read, none is read wrongly, and one stretch is damaged."""
    frames = list(map(frame, entries))
    hurt = data.draw(st.integers(0, len(frames) - 1))
    bit = data.draw(st.integers(0, len(frames[hurt]) * 8 - 1))
    flipped = bytearray(frames[hurt])
    flipped[bit // 8] ^= 1 << bit % 8
    found = read(b"".join([*frames[:hurt], bytes(flipped), *frames[hurt + 1 :]]))
    inner = Entry(b"k", b"inner")  # where a header is damaged, a value that is itself a frame is taken for one
    others = [*entries[:hurt], *entries[hurt + 1 :]]
    assert [one for one in found.entries if one != inner] == [one for one in others if one != inner]
    assert found.broken >= 1


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(data: bytes) -> None:
    """Bytes that are no segment at all are damage, and never an error."""
    found = read(data)
    assert found.entries == []
    assert (found.broken + bool(found.torn)) == bool(data)


def test_a_page_of_zeros_costs_the_records_in_it() -> None:
    """What stands before and behind a lost page is read."""
    entries = [Entry(b"key", b"%d" % n * 50) for n in range(100)]
    data = bytearray(b"".join(map(frame, entries)))
    data[2000:2500] = bytes(500)
    found = read(bytes(data))
    assert 1 <= found.broken <= 2  # a record's end and a stretch that begins with no header
    assert found.entries == [one for one in entries if one in found.entries]
    assert 90 < len(found.entries) < 100


def test_chunks_hold_about_their_size() -> None:
    """Every entry is in one chunk, in order, and no chunk goes beyond its size by more than its last value."""
    entries = [Entry(b"", bytes(n)) for n in range(40)]
    made = list(chunks(entries, 100))
    assert [one for chunk in made for one in chunk] == entries
    assert all(sum(len(one.value) for one in chunk[:-1]) < 100 for chunk in made)
