"""The link that marks a browser as one of the staff's: any page opened with `?milepost_internal=on`, and `off`.

It hides what that browser does, and nothing else: all touchpoints sent with its anonymous id, signed in or not. It is
an exclusion that the browser has made for itself.
"""

import msgspec

from services.stager.work import Work
from shared.events import Record
from shared.exclusion import Filter
from shared.touch.parts import address, inner, text

#: The parameter, and what a log value has in which it may stand.
NAME = "milepost_internal"
MARK = NAME.encode()

_object = msgspec.json.Decoder(dict[str, object]).decode
_body = msgspec.json.Encoder().encode


def mark(work: Work, record: Record) -> None:
    """Notes what a page event says of its browser, if it says something. The last one staged counts."""
    if record.type != "page" or record.anonymous is None or record.imported:
        return
    page, properties = inner(_object(record.context), "page"), _object(record.properties)
    for url in (text(page.get("url")), text(properties.get("url"))):
        said = address(url).query.get(NAME)
        if said in ("on", "off"):
            body = _body(Filter(devices=(record.anonymous,))).decode()
            work.changes.marks[record.project, body] = (said == "on", record.received)
            return
