"""The shapes of what PostHog's SDKs send: an event, and those of its properties that mean something here.

What is typed `Any` comes from sites' own code as often as from the SDKs, so whoever reads it looks at what it is.
"""

from typing import Any

import msgspec

from services.ingest.protocols.port import Identifier, Raw
from shared.events import EMPTY

_named = msgspec.field


class Sent(msgspec.Struct, gc=False):
    """An event. `session_id`, `window_id` and `options` are what the newest SDKs take out of the properties."""

    event: str | None = None
    uuid: Identifier = None
    distinct_id: Identifier = None
    timestamp: str | None = None
    offset: Any = None
    properties: Raw = EMPTY
    context: Raw = EMPTY
    set: Raw = _named(default=EMPTY, name="$set")
    set_once: Raw = _named(default=EMPTY, name="$set_once")
    session_id: Any = None
    window_id: Any = None
    options: Any = None
    api_key: Any = None
    token: Any = None


class Body(Sent, gc=False):
    """A body: a batch, or one event."""

    batch: list[Sent] | None = None
    sent_at: str | None = None
    sent_at_before: str | None = _named(default=None, name="sentAt")


class Parts(msgspec.Struct):
    """A body of anything."""

    batch: list[Raw] | None = None
    sent_at: Any = None
    sent_at_before: Any = _named(default=None, name="sentAt")
    api_key: Any = None
    token: Any = None


class Person(msgspec.Struct):
    """A body of `/engage/`, by which older browsers say something of a person, outside any event."""

    set: Raw = _named(default=EMPTY, name="$set")
    set_once: Raw = _named(default=EMPTY, name="$set_once")
    distinct_id: Identifier = _named(default=None, name="$distinct_id")
    device_id: Any = _named(default=None, name="$device_id")
    user_id: Any = _named(default=None, name="$user_id")
    token: Any = _named(default=None, name="$token")


class Said(msgspec.Struct, gc=False, rename=lambda name: f"${name}"):
    """The properties that are read."""

    set: Raw = EMPTY
    set_once: Raw = EMPTY
    group_set: Raw = EMPTY
    unset: Any = None
    group_type: Any = None
    group_key: Any = None
    anon_distinct_id: Any = None
    is_identified: Any = None
    is_server: Any = None
    process_person_profile: Any = None
    ignore_sent_at: Any = None
    device_id: Any = None
    user_id: Any = None
    insert_id: Any = None
    time: Any = None
    lib: Any = None
    lib_version: Any = None
    raw_user_agent: Any = None
    user_agent: Any = None
    ip: Any = None
    locale: Any = None
    browser_language: Any = None
    timezone: Any = None
    current_url: Any = None
    pathname: Any = None
    referrer: Any = None
    screen_name: Any = None
    screen_width: Any = None
    screen_height: Any = None
    os: Any = None
    os_name: Any = None
    os_version: Any = None
    device_type: Any = None
    device_manufacturer: Any = None
    device_model: Any = None
    device_name: Any = None
    app_name: Any = None
    app_version: Any = None
    app_build: Any = None
    app_namespace: Any = None
    distinct_id: Any = _named(default=None, name="distinct_id")
    alias: Any = _named(default=None, name="alias")
    name: Any = _named(default=None, name="name")
    title: Any = _named(default=None, name="title")
    token: Any = _named(default=None, name="token")
    api_key: Any = _named(default=None, name="api_key")
    utm_source: Any = _named(default=None, name="utm_source")
    utm_medium: Any = _named(default=None, name="utm_medium")
    utm_campaign: Any = _named(default=None, name="utm_campaign")
    utm_term: Any = _named(default=None, name="utm_term")
    utm_content: Any = _named(default=None, name="utm_content")
