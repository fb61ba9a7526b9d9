"""The records' Kafka topic: what it must be, making it so, and saying how it is not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared.log.port import LogMismatch, LogUnavailable
from shared.settings import Settings

#: The largest batch of records that is sent, in bytes, where no single record is larger.
BATCH_BYTES = 1_000_000
#: What goes around a batch, and around a record with its key.
AROUND = 16 << 10
#: In a DescribeConfigs response, a value that was set on the topic itself.
SET_ON_TOPIC = 1


async def setup_kafka(settings: Settings) -> None:
    """Makes the topic, or sets an existing one's configuration; doing it again changes nothing.

    Raises LogMismatch if the topic differs in what cannot be changed, LogUnavailable if Kafka cannot be reached.
    """
    wanted = topic_configuration(settings)
    async with _admin(settings) as admin:
        topic = NewTopic(settings.topic, settings.partitions, settings.replication, topic_configs=wanted)
        error = for_code((await admin.create_topics([topic])).topic_errors[0][1])
        if error is TopicAlreadyExistsError:
            current, own = await _configuration(admin, settings.topic)
            better = {name: current[name] for name in wanted if _is(name, current.get(name), wanted[name])}
            if better.keys() != wanted.keys():
                # This request replaces all that was set on the topic, so what an operator added goes along.
                resource = ConfigResource(ConfigResourceType.TOPIC, settings.topic, own | wanted | better)
                _raise(for_code((await admin.alter_configs([resource]))[0].resources[0][0]))
        else:
            _raise(error)
        # The partitions have leaders a moment after the topic exists.
        await admin._client._wait_on_metadata(settings.topic)  # the public calls do not wait
    await check_kafka(settings)


async def check_kafka(settings: Settings) -> None:
    """Raises LogMismatch naming every difference with its remedy, LogUnavailable if Kafka cannot be reached."""
    async with _admin(settings) as admin:
        description = (await admin.describe_topics([settings.topic]))[0]
        if description["error_code"]:
            raise LogMismatch(f"Kafka has no topic {settings.topic}: run `milepost setup`")
        configuration, _ = await _configuration(admin, settings.topic)
    faults = []
    partitions = len(description["partitions"])
    if partitions != settings.partitions:
        more = ", or add partitions with Kafka's own tools" if partitions < settings.partitions else ""
        remedy = f"set MILEPOST_PARTITIONS={partitions}{more}"
        faults.append(f"it has {partitions} partitions, not {settings.partitions}: {remedy}")
    replicas = min(len(partition["replicas"]) for partition in description["partitions"])
    if replicas != settings.replication:
        faults.append(
            f"its partitions have {replicas} replicas, not {settings.replication}:"
            f" set MILEPOST_REPLICATION={replicas}, or reassign the partitions in Kafka"
        )
    for name, value in topic_configuration(settings).items():
        if not _is(name, configuration.get(name), value):
            faults.append(f"its {name} is {configuration.get(name)}, not {value}: run `milepost setup`")
    if faults:
        raise LogMismatch(f"Kafka's topic {settings.topic} is not as the settings say: " + "; ".join(faults))


def topic_configuration(settings: Settings) -> dict[str, str]:
    """What is set on the topic. Records are stamped when appended, so that old events outlive the retention.

    No batch may be too large for the broker: it would fail for ever, and with it everything that waits behind it.
    """
    return {
        "cleanup.policy": "delete",
        "compression.type": "producer",
        "max.message.bytes": str(max(BATCH_BYTES, settings.event_bytes) + AROUND),
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": "2" if settings.replication >= 3 else "1",
        "retention.ms": str(int(settings.retention_days * 86_400_000)),
        "retention.bytes": "-1",
    }


def _is(name: str, found: str | None, wanted: str) -> bool:
    """Whether a configuration will do; a broker may well take larger batches."""
    return found is not None and (int(found) >= int(wanted) if name == "max.message.bytes" else found == wanted)


async def _configuration(admin: Any, topic: str) -> tuple[dict[str, str], dict[str, str]]:
    """The configuration in force, and the part of it that was set on the topic itself."""
    response = (await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)]))[0]
    error_code, _, _, _, entries = response.resources[0]
    _raise(for_code(error_code))
    values = {entry[0]: entry[1] for entry in entries}
    return values, {entry[0]: entry[1] for entry in entries if entry[3] == SET_ON_TOPIC}


def _raise(error: type[KafkaError]) -> None:
    if error.errno:
        raise error


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[Any]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, request_timeout_ms=10_000)
    try:
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()
    except (KafkaError, OSError) as error:
        raise LogUnavailable(f"Kafka at {settings.kafka}: {error}") from error
