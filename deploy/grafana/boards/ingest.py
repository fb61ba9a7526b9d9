"""What comes in by which key and which kind of SDK, and what is refused and why."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.boards.board import Section, board, choice
from deploy.grafana.boards.panels import (
    BYTES_PER_SECOND,
    PART,
    PER_SECOND,
    SECONDS,
    Panel,
    Series,
    lines,
    number,
    rows,
    spread,
)
from deploy.grafana.boards.queries import (
    buckets,
    observations,
    or_zero,
    per_second,
    quantile,
    share_of,
    values,
)
from shared import telemetry

CHOSEN = {"key": "~$key", "sdk": "~$sdk"}
ACCEPTED, REFUSED = {**CHOSEN, "result": "accepted"}, {**CHOSEN, "result": "refused"}


def made() -> Dashboard:
    """The board."""
    return board(
        "ingest",
        "Ingest",
        "What comes in by write key and kind of SDK, what is refused and why.",
        [
            Section("Keys $key, SDKs $sdk", [*_numbers(), *_chosen()]),
            Section("Refusals of all keys", _refusals()),
            Section("Requests of all keys", _requests()),
        ],
        [
            choice("key", "Key", "Write keys by their names.", values(telemetry.KEY_EVENTS, "key")),
            choice("sdk", "SDK", "Kinds of SDKs that they came with.", values(telemetry.KEY_EVENTS, "sdk")),
        ],
    )


def _numbers() -> list[Panel]:
    every = per_second(telemetry.KEY_EVENTS, (), CHOSEN)
    refused = per_second(telemetry.KEY_EVENTS, (), REFUSED)
    return [
        number("Events", "Events that come in with these keys.", PER_SECOND, Series(or_zero(every), "events")),
        number(
            "Refused",
            "What part of them is refused.",
            PART,
            Series(or_zero(share_of(refused, every)), "refused"),
            warn=0.01,
            bad=0.1,
        ),
        number(
            "Bots",
            "Events of bots, of all keys: taken, but counted for nothing.",
            PER_SECOND,
            Series(or_zero(per_second(telemetry.BOTS)), "bots"),
        ),
        number(
            "Unknown paths",
            "Requests to paths that ingest does not have: a site may call a wrong address.",
            PER_SECOND,
            Series(or_zero(per_second(telemetry.UNKNOWN_PATHS)), "requests"),
            warn=0.1,
        ),
        number(
            "Answered within",
            "The time within which 99 % of all requests with events are answered.",
            SECONDS,
            Series(quantile(0.99, telemetry.INGEST_SECONDS), "99 %"),
            warn=0.25,
            bad=1,
        ),
        number(
            "Bytes",
            "Bodies of all requests with events, unpacked.",
            BYTES_PER_SECOND,
            Series(per_second(telemetry.INGEST_BYTES), "bytes"),
        ),
    ]


def _chosen() -> list[Panel]:
    return [
        lines(
            "Accepted by key",
            "Events taken, by the name of the write key that they came with.",
            PER_SECOND,
            Series(per_second(telemetry.KEY_EVENTS, ("key",), ACCEPTED), "{{key}}"),
            width=8,
            stacked=True,
        ),
        lines(
            "Accepted by SDK",
            "Events taken, by the kind of SDK that sent them.",
            PER_SECOND,
            Series(per_second(telemetry.KEY_EVENTS, ("sdk",), ACCEPTED), "{{sdk}}"),
            width=8,
            stacked=True,
        ),
        lines(
            "Refused by key and SDK",
            "Events not taken: the same keys' rejections tell which and why.",
            PER_SECOND,
            Series(per_second(telemetry.KEY_EVENTS, ("key", "sdk"), REFUSED), "{{key}} by {{sdk}}"),
            width=8,
        ),
    ]


def _refusals() -> list[Panel]:
    return [
        lines(
            "Refusals by code",
            "Events and requests refused, by the code of the answer. `milepost rejections list` shows what they were.",
            PER_SECOND,
            Series(or_zero(per_second(telemetry.REFUSED, ("code",))), "{{code}}"),
            width=8,
            stacked=True,
        ),
        rows(
            "Refusals now",
            "The same as a table: what is refused most stands above.",
            PER_SECOND,
            or_zero(per_second(telemetry.REFUSED, ("code",))),
            columns=("code",),
            value="refusals",
            width=8,
        ),
        lines(
            "Unknown paths by SDK",
            "Requests to paths that ingest does not have, by whose SDK the path looks like.",
            PER_SECOND,
            Series(per_second(telemetry.UNKNOWN_PATHS, ("family",)), "{{family}}"),
            width=8,
        ),
    ]


def _requests() -> list[Panel]:
    return [
        lines(
            "Requests with events",
            "How many are answered, each with one event or many.",
            PER_SECOND,
            Series(observations(telemetry.INGEST_SECONDS), "requests"),
            width=8,
        ),
        spread(
            "Time to answer",
            "From a request's arrival to its answer.",
            SECONDS,
            buckets(telemetry.INGEST_SECONDS),
            width=8,
        ),
        lines(
            "Time to make durable",
            "Until the log, or the spool, has made a request's events durable: most of the time to answer.",
            SECONDS,
            Series(quantile(0.5, telemetry.APPEND_SECONDS), "half of them"),
            Series(quantile(0.99, telemetry.APPEND_SECONDS), "99 %"),
            width=8,
        ),
    ]
