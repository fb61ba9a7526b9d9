"""Every setting, its default and its meaning, in one place.

Each is `MILEPOST_<NAME>` in the environment, or the same name in a settings file of `NAME=value` lines
(named by `MILEPOST_SETTINGS_FILE`). The command line wins over the environment, the environment over the
file; an empty value counts as not given.
"""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "MILEPOST_"
FILE = PREFIX + "SETTINGS_FILE"

#: The fewest characters of a secret.
SECRET_CHARACTERS = 16


class Settings(BaseSettings):
    """What is in force. Times are in seconds, sizes in bytes, unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    # Where things are
    data: Path = Field(Path("data"), description="folder of the embedded log and store")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on")
    public_url: str = Field("", description="address that sites reach it at; empty: http://host:port")
    kafka: str = Field("", description="bootstrap servers, host:port,…; empty: the embedded log")
    database: SecretStr = Field(SecretStr(""), description="postgresql://… ; empty: the embedded store")

    # The log
    topic: str = Field("milepost.touchpoints", description="Kafka topic of the records")
    partitions: int = Field(6, ge=1, le=1024, description="partitions of the log")
    replication: int = Field(1, ge=1, le=5, description="replicas of each Kafka partition")
    retention_days: float = Field(7, gt=0, description="how long the log keeps records that have been staged")
    append_deadline: float = Field(10, gt=0, description="seconds until an unacknowledged append is refused")
    append_bytes: int = Field(64 << 20, gt=0, description="bytes in flight to the log before it refuses")

    # The spool: ingest's own disk, for when Kafka is away
    spool: str = Field("", description="folder on a durable volume, for what Kafka does not take in time; empty: off")
    spool_bytes: int = Field(1 << 30, gt=0, description="most that each ingest process spools before it refuses")
    spool_after: float = Field(2, gt=0, description="seconds until an append that Kafka does not take is spooled")

    # The front door
    path_prefix: str = Field("", description="path that events are taken under as well, like /track")
    connections: int = Field(4096, ge=1, description="most connections at once to one process")
    keep_alive: int = Field(20, ge=1, description="seconds that a connection is kept open between requests")
    head_bytes: int = Field(65_536, ge=1024, description="largest head of a request: its address and headers")
    head_seconds: float = Field(10, gt=0, description="seconds that a client has to send a head")
    body_seconds: float = Field(30, gt=0, description="seconds that a client has to send a body, or to read an answer")
    work_requests: int = Field(512, ge=1, description="requests worked on at once; more are answered 503")
    work_bytes: int = Field(4 << 20, gt=0, description="bytes of their bodies; more are answered 503")
    body_bytes: int = Field(64 << 20, gt=0, description="bytes of all bodies, those still coming too; more: 503")
    event_bytes: int = Field(32 << 10, gt=0, description="largest event")
    request_bytes: int = Field(512_000, gt=0, description="largest request body, unpacked")
    batch_events: int = Field(2500, gt=0, description="most events in one request")
    rejected_bytes: int = Field(4096, ge=0, description="bytes kept of each refused event, to be looked at; 0: none")

    # Who is who
    browser_joins: bool = Field(False, description="whether an alias from a browser key may join two user ids")
    internal_link: bool = Field(True, description="whether a page opened with ?milepost_internal=on hides its browser")
    never_ids: str = Field("", description="ids that name nobody, beside the built-in ones, with commas between them")
    merge_limit: int = Field(1000, ge=3, description="most identifiers of one customer that a statement may lead to")
    shared_devices: Literal["split", "join"] = Field(
        "split", description="users of one device: split or join; of the default project, set when it is made"
    )

    # Whom to believe, and what to keep
    trusted_proxies: str = Field(
        "", description="proxies whose X-Forwarded-For and -Proto count, like 10.0.0.0/8,192.0.2.7; * for any"
    )
    geoip: str = Field("", description="GeoIP file in MaxMind's format, for country, region and city; empty: none")
    tables: str = Field("", description="file or folder of a site's own tables of sources, channels, kinds and bots")
    bots: Literal["exclude", "include"] = Field("exclude", description="whether what bots do counts in journeys")
    ip: Literal["keep", "truncate", "drop"] = Field(
        "truncate", description="what is kept of IP addresses; truncate: their /24 network, of IPv6 the /48"
    )
    consent: str = Field(
        "", description="consent categories without which an event is refused, with commas between them"
    )
    deny: str = Field("", description="names or paths (traits.phone) taken out of events, with commas between them")
    hash_fields: str = Field("", description="names or paths whose values are hashed, with commas between them")
    hash_secret: SecretStr = Field(
        SecretStr(""), validate_default=True, description="secret of hash_fields, of 16 characters or more"
    )

    # The stager
    batch: int = Field(32_000, ge=1, description="most records of one partition staged in one transaction")
    cache_bytes: int = Field(64 << 20, ge=0, description="memory for customers' states kept between batches")
    rewind_limit: int = Field(
        5_000, ge=1, description="longest rewind in a batch, in touchpoints; longer ones are queued"
    )
    backfill_share: float = Field(
        0.25, gt=0, le=1, description="most of a stager's time that back-fills take while there is other work"
    )
    lease: float = Field(30, gt=0, description="seconds that a stopped transaction may hold its partition")

    # Questions about many touchpoints
    visit_gap: float = Field(1800, gt=0, description="seconds without an act, more than which end a visit")
    questions: int = Field(1, ge=1, description="questions about many touchpoints that are computed at once")
    question_seconds: float = Field(30, gt=0, description="seconds that such a question may take")

    # The project
    time_zone: str = Field("UTC", description="IANA time zone of the default project, set when it is made")

    # The process
    drain: float = Field(10, gt=0, description="seconds that a stopping process has to finish what it began")
    metric_series: int = Field(10_000, ge=10, description="most series of one metric of stages, moves or keys")
    traces: str = Field("", description="collector of traces by OTLP over HTTP, like http://host:4318; empty: off")
    traces_share: float = Field(0.01, ge=0, le=1, description="share of the requests with events that are traced")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level logged")

    @field_validator("database")
    @classmethod
    def _postgresql(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value() and not re.match(r"postgres(ql)?://", url.get_secret_value()):
            raise ValueError("must be an address like postgresql://user:password@host:5432/name, or empty")
        return url

    @field_validator("kafka")
    @classmethod
    def _bootstrap(cls, servers: str) -> str:
        if servers and not all(re.fullmatch(r"\S+:\d+", server) for server in servers.split(",")):
            raise ValueError("must be addresses like kafka-1:9092,kafka-2:9092, or empty")
        return servers

    @field_validator("public_url", "traces")
    @classmethod
    def _http(cls, url: str) -> str:
        if url and not re.match(r"https?://[^/]", url):
            raise ValueError("must be an address like https://events.example.com, or empty")
        return url.rstrip("/")

    @field_validator("path_prefix")
    @classmethod
    def _path(cls, prefix: str) -> str:
        if not re.fullmatch(r"(/[\w.~-]+)*/?", prefix):
            raise ValueError("must be a path like /track, or empty")
        return prefix.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, proxies: str) -> str:
        try:
            for proxy in listed(proxies) if proxies != "*" else ():
                ip_network(proxy)
        except ValueError:
            raise ValueError("must be addresses or networks like 10.0.0.0/8,192.0.2.7, or *") from None
        return proxies

    @field_validator("hash_secret")
    @classmethod
    def _secret(cls, secret: SecretStr, others: ValidationInfo) -> SecretStr:
        if others.data.get("hash_fields") and len(secret.get_secret_value()) < SECRET_CHARACTERS:
            raise ValueError(f"must have {SECRET_CHARACTERS} characters or more, as hash_fields is set")
        return secret

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, LookupError):
            near = get_close_matches(name, available_timezones(), 1)
            raise ValueError(
                f"must be an IANA time zone; did you mean {near[0]}?"
                if near
                else "must be an IANA time zone, like Asia/Tehran"
            ) from None
        return name


class BadSettings(Exception):
    """One or more settings are wrong; the text names each with its value and the remedy."""

    def __init__(self, faults: list[str]) -> None:
        count = "A setting is wrong" if len(faults) == 1 else f"{len(faults)} settings are wrong"
        super().__init__("\n".join([f"{count}:", *(f"  {fault}" for fault in faults)]))
        self.faults = faults


class InForce(NamedTuple):
    """A setting as `milepost settings` shows it: `value` has its secrets masked."""

    name: str
    value: str
    origin: str
    meaning: str


def load(**given: Any) -> Settings:
    """The settings in force; `given` are those of the command line, by field name (None: not given).

    Raises BadSettings with every fault at once: values that cannot be, names that do not exist.
    """
    given = {name: value for name, value in given.items() if value is not None}
    file = os.environ.get(FILE)
    if file and not Path(file).is_file():
        raise BadSettings([f"{FILE}={file}: there is no such file. Correct the path, or unset {FILE}."])
    sources = _sources(given)
    faults = [_unknown(name, origin) for origin, names in sources.items() for name in names if not _known(name)]
    try:
        settings = Settings(_env_file=file, _env_file_encoding="utf-8", **given)
    except ValidationError as invalid:
        faults += [
            _fault(str(error["loc"][0]).removeprefix(PREFIX.lower()), error["msg"], sources)
            for error in invalid.errors()
        ]
    if faults:
        raise BadSettings(faults)
    return settings


def in_force(**given: object) -> list[InForce]:
    """All settings as `milepost settings` shows them, wrong ones too: as they were given."""
    sources = _sources({name: value for name, value in given.items() if value is not None})
    return [
        InForce(_variable(name), *_given(name, sources), str(field.description))
        for name, field in Settings.model_fields.items()
    ]


def listed(text: str) -> tuple[str, ...]:
    """The values of a setting that has them with commas between."""
    return tuple(part for one in text.split(",") if (part := one.strip()))


def masked(text: str) -> str:
    """The text without the passwords of addresses in it."""
    return re.sub(r"(://[^:/@\s]*):\S*@", r"\1:***@", text)


def _sources(given: Mapping[str, object]) -> dict[str, dict[str, str]]:
    """Where values come from, the strongest first: origin → variable → text."""
    file = os.environ.get(FILE)
    lines = dotenv_values(file, encoding="utf-8") if file and Path(file).is_file() else {}
    return {
        "command line": {_variable(name): str(value) for name, value in given.items()},
        "environment": _ours(os.environ),
        f"file {file}": _ours(lines),
    }


def _ours(variables: Mapping[str, str | None]) -> dict[str, str]:
    upper = {name.upper(): value for name, value in variables.items()}
    return {name: value for name, value in upper.items() if value and name.startswith(PREFIX) and name != FILE}


def _given(field: str, sources: Mapping[str, Mapping[str, str]]) -> tuple[str, str]:
    """The value of a field as text without secrets, and its origin."""
    for origin, values in sources.items():
        if (value := values.get(_variable(field))) is not None:
            return "***" if field == "hash_secret" else masked(value), origin
    default = Settings.model_fields[field].default
    return default.get_secret_value() if isinstance(default, SecretStr) else str(default), "default"


def _fault(field: str, problem: str, sources: Mapping[str, Mapping[str, str]]) -> str:
    value, origin = _given(field, sources)
    problem = problem.removeprefix("Value error, ").replace("Input should be", "must be")
    return f"{_variable(field)}={value} ({origin}): {problem}. Meaning: {_meaning(field)}."


def _unknown(variable: str, origin: str) -> str:
    near = get_close_matches(variable.removeprefix(PREFIX).lower(), Settings.model_fields, 1)
    remedy = f"Did you mean {_variable(near[0])}?" if near else "`milepost settings` lists those there are."
    return f"{variable} ({origin}): there is no such setting. {remedy}"


def _variable(field: str) -> str:
    return PREFIX + field.upper()


def _known(variable: str) -> bool:
    return variable.removeprefix(PREFIX).lower() in Settings.model_fields


def _meaning(field: str) -> str:
    """What the setting is, with its default."""
    about = Settings.model_fields[field]
    default = about.default.get_secret_value() if isinstance(about.default, SecretStr) else str(about.default)
    return f"{about.description}; default {default}" if default else str(about.description)
