"""Sends calls with any version of RudderStack's Python SDK: rudder_send.py PACKAGE HOST KEY CALLS.

PACKAGE is `rudderstack.analytics`, or `rudder_analytics` as it was named before; CALLS are those of
tests/support/sdks.py. Fails if the SDK gives up on an event.
"""

import json
import sys
from importlib import import_module

NAMES = {"userId": "user_id", "anonymousId": "anonymous_id", "previousId": "previous_id", "groupId": "group_id"}

package, host, key, calls = sys.argv[1:]
errors: list[object] = []
few = {"upload_size": 4} if package == "rudderstack.analytics" else {"flush_at": 4}
client = import_module(f"{package}.client").Client(
    key, host=host, on_error=lambda error, _: errors.append(error), **few
)
for call in json.loads(calls):
    given = {NAMES.get(name, name): value for name, value in call.items() if name != "call"}
    taken, _ = getattr(client, call["call"])(**given)
    if not taken:
        errors.append(f"the queue took no {call['call']}")
client.flush()
client.join()
if errors:
    sys.exit(f"not sent: {errors}")
