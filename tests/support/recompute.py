"""An independent reader: every customer recomputed by the oracle from the log's bytes, held against a store's rows."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
import yaml
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.oracle.identity import customers
from tests.oracle.journey import derive
from tests.support.ledgers import Ask, read_books


async def read_topic(bootstrap: str, topic: str, partitions: int) -> list[bytes]:
    """Every value of a Kafka topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        parts = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        wanted, found = sum((await consumer.end_offsets(parts)).values()), list[bytes]()
        while len(found) < wanted:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                found += [record.value for record in records]
        return found
    finally:
        await consumer.stop()


def touchpoint_of(value: bytes) -> dict[str, Any]:
    """The touchpoint in a log value as the oracle writes them."""
    record = msgspec.json.decode(value)
    names = {"id": "messageId", "t": "at", "recorded": "receivedAt", "user": "userId", "anonymous": "anonymousId"}
    names |= {"previous": "previousId", "name": "name", "type": "type", "guarded": "guarded", "excluded": "excluded"}
    properties = record.get("properties", {})
    return {
        **{ours: record.get(theirs) for ours, theirs in names.items()},
        **{part: record.get(part, {}) for part in ("properties", "context", "traits")},
        **{part: properties.get(part) for part in ("journey", "stage")},
    }


def check_store(ask: Ask, values: Iterable[bytes], join: bool = False) -> None:
    """Asserts that the store holds, in every version that is not retired, what the oracle gives for a log's values.

    Everything must have been staged, derived and filled, and no id may lie on the log twice. Timers are looked at up to
    the store's clock.
    """
    known = [touchpoint_of(value) for value in values]
    together = customers(known, join)
    ((clock,),) = ask("SELECT min(clock) FROM positions")
    for version, text in ask("SELECT version, definition FROM journeys WHERE retired_at IS NULL"):
        books = read_books(ask, clock - 1, version)
        definition = yaml.safe_load(text)
        expected = {
            one.identifiers: [
                (move.at, move.source, move.target) for move in derive(definition, one.touchpoints, clock - 1)
            ]
            for one in together
        }
        assert sorted(map(sorted, books.moves)) == sorted(map(sorted, expected)), "other customers"
        assert books.moves == expected
        assert books.populations == Counter(moves[-1][2] for moves in expected.values() if moves)
        assert (books.staged, books.duplicates, books.queued, books.quarantined) == (len(known), 0, 0, 0)


def at_rest(ask: Ask, end: int) -> bool:
    """Whether everything up to the log's end is staged, derived, filled, and fired."""
    questions = (
        f"SELECT sum(position) = {end} FROM positions",
        "SELECT count(*) = 0 FROM queue",
        "SELECT count(*) = 0 FROM fills WHERE finished IS NULL",
        "SELECT count(*) = 0 FROM timers WHERE due < (SELECT min(clock) FROM positions)",
    )
    return all(row[0] for sql in questions for row in ask(sql))
