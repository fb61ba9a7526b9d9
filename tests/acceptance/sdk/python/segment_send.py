"""Sends calls with any version of Segment's Python SDK: segment_send.py PACKAGE GZIP HOST KEY CALLS.

PACKAGE is `segment.analytics`, or `analytics` as it was named before; GZIP is `gzip` or `plain`; CALLS are those of
tests/support/sdks.py. Fails if the SDK gives up on an event.
"""

import json
import sys
from importlib import import_module

NAMES = {"userId": "user_id", "anonymousId": "anonymous_id", "previousId": "previous_id", "groupId": "group_id"}

package, packing, host, key, calls = sys.argv[1:]
errors: list[object] = []
client = import_module(f"{package}.client").Client(
    key, host=host, gzip=packing == "gzip", on_error=lambda error, _: errors.append(error)
)
for call in json.loads(calls):
    given = {NAMES.get(name, name): value for name, value in call.items() if name != "call"}
    taken, _ = getattr(client, call["call"])(**given)
    if not taken:
        errors.append(f"the queue took no {call['call']}")
client.shutdown()
if errors:
    sys.exit(f"not sent: {errors}")
