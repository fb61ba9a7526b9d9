"""Sends calls with any version of PostHog's Python SDK: posthog_send.py MODE HOST KEY CALLS.

MODE is `plain`, `gzip`, or `v1` for the newest way of sending; CALLS are those of tests/support/sdks.py. Fails if the
SDK gives up on an event.
"""

import json
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

mode, host, key, calls = sys.argv[1:]
newest = int(version("posthog").partition(".")[0]) >= 6
errors: list[object] = []
more: dict[str, Any] = {"capture_mode": "v1"} if mode == "v1" else {"gzip": mode == "gzip"}
client = import_module("posthog").Posthog(
    key, host=host, flush_at=4, flush_interval=0.2, on_error=lambda error, _: errors.append(error), **more
)


def capture(call: dict[str, Any], event: str, properties: dict[str, Any]) -> None:
    """An event of a user, or of somebody nobody knows."""
    if "userId" not in call:
        properties = {**properties, "$process_person_profile": False}
    distinct = call.get("userId") or call["anonymousId"]
    if newest:
        client.capture(event, distinct_id=distinct, properties=properties)
    else:
        client.capture(distinct, event, properties)


for call in json.loads(calls):
    match call["call"]:
        case "identify":
            (client.set if newest else client.identify)(distinct_id=call["userId"], properties=call["traits"])
        case "track":
            capture(call, call["event"], call["properties"])
        case "page":
            capture(call, "$pageview", {"name": call["name"], **call["properties"]})
        case "screen":
            capture(call, "$screen", {"$screen_name": call["name"], **call["properties"]})
        case "group":
            whose = {"distinct_id": call["userId"]} if newest else {}
            client.group_identify("company", call["groupId"], call["traits"], **whose)
        case "alias":
            client.alias(previous_id=call["previousId"], distinct_id=call["userId"])
client.flush()
client.shutdown()
if errors:
    sys.exit(f"not sent: {errors}")
