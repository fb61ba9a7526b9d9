"""Every setting, its default and its meaning, in one place.

Each is `MILEPOST_<NAME>` in the environment, or the same name in a settings file of `NAME=value` lines (named by
`MILEPOST_SETTINGS_FILE`); the environment wins.
"""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What is in force. Times are in seconds, sizes in bytes, unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix="MILEPOST_", extra="ignore", frozen=True)

    # Where things are
    data: Path = Field(Path("data"), description="folder of the embedded log and store")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on")
    public_url: str = Field("", description="address that sites reach this server at; empty: http://host:port")
    kafka: str = Field("", description="bootstrap servers, host:port,…; empty: the embedded log")
    database: SecretStr = Field(SecretStr(""), description="postgresql://… ; empty: the embedded store")

    # The log
    topic: str = Field("milepost.touchpoints", description="Kafka topic of the records")
    partitions: int = Field(6, ge=1, le=1024, description="partitions of the log")
    replication: int = Field(1, ge=1, le=5, description="replicas of each Kafka partition")
    retention_days: float = Field(7, gt=0, description="how long the log keeps records that have been staged")
    append_deadline: float = Field(10, gt=0, description="seconds until an unacknowledged append is refused")
    append_bytes: int = Field(64 << 20, gt=0, description="bytes in flight to the log before requests are refused")

    # The front door
    event_bytes: int = Field(32 << 10, gt=0, description="largest event")
    request_bytes: int = Field(512_000, gt=0, description="largest request body, unpacked")
    batch_events: int = Field(2500, gt=0, description="most events in one request")

    # The stager
    batch: int = Field(10_000, ge=1, description="most records of one partition staged in one transaction")
    cache_bytes: int = Field(64 << 20, ge=0, description="memory for customers' states kept between batches")
    rewind_limit: int = Field(5_000, ge=1, description="touchpoints refolded in a batch; longer rewinds are queued")
    lease: float = Field(30, gt=0, description="seconds that a stopped transaction may hold its partition")

    # The project
    time_zone: str = Field("UTC", description="IANA time zone of the default project, set when it is made")
