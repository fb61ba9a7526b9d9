"""Privacy at the door: consent, what is denied, what is hashed."""

import hmac
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.accept import accept_line
from services.ingest.door import open_door
from services.ingest.privacy import Privacy
from services.ingest.refusals import Refusal
from shared.events import Record
from shared.settings import BadSettings, Settings, in_force, load
from tests.support.front import NOW, front

SECRET = "a secret of the tests"
EVENT = {"type": "track", "messageId": "m", "userId": "u", "event": "Bought"}


def digest(text: str) -> str:
    """What the secret makes of a text."""
    return hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest()


def accepted(settings: dict[str, Any], **parts: Any) -> Record | Refusal:
    """What becomes of an event with these parts."""
    given = {"hash_secret": SECRET, **settings} if "hash_fields" in settings else settings
    door = open_door(Settings.model_validate(given))
    return accept_line(json.dumps({**EVENT, **parts}).encode(), 1, 0, NOW, door=door)


def part(settings: dict[str, Any], name: str, value: Any, type: str = "track") -> Any:
    """A part as it lies on the log."""
    record = accepted(settings, **{"type": type, name: value})
    assert isinstance(record, Record), record
    return msgspec.json.decode(getattr(record, name))


@pytest.mark.parametrize(
    "context",
    [
        {"consent": {"categoryPreferences": {"Analytics": True, "Advertising": True}}},
        {"consent": {"categoryPreferences": {"Analytics": True, "Advertising": True, "Other": False}}},
        {"consentManagement": {"allowedConsentIds": ["Advertising", "Analytics"]}},
    ],
)
def test_an_event_with_consent_is_taken(context: dict[str, Any]) -> None:
    """As Segment's and RudderStack's SDKs tell it."""
    assert isinstance(accepted({"consent": "Analytics, Advertising"}, context=context), Record)


@pytest.mark.parametrize(
    "context",
    [
        {},
        None,
        {"consent": {}},
        {"consent": True},
        {"consent": {"categoryPreferences": {"Analytics": True}}},
        {"consent": {"categoryPreferences": {"Analytics": True, "Advertising": False}}},
        {"consent": {"categoryPreferences": {"Analytics": True, "Advertising": "true"}}},
        {"consent": {"categoryPreferences": ["Analytics", "Advertising"]}},
        {"consentManagement": {"allowedConsentIds": ["Analytics"], "deniedConsentIds": ["Advertising"]}},
        {"consentManagement": {"allowedConsentIds": "Analytics,Advertising"}},
    ],
)
def test_an_event_without_consent_is_refused(context: Any) -> None:
    """Each category is needed, and only true is consent."""
    refused = accepted({"consent": "Analytics,Advertising"}, context=context)
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.field) == ("no_consent", "context.consent")


async def test_what_was_refused_is_not_kept_either(tmp_path: Path) -> None:
    """Where privacy is asked for, refusals are noted without what was sent."""
    async with front(tmp_path, consent="Analytics") as made:
        assert (await made.post("/v1/track", EVENT)).status == 400
        assert (await made.post("/v1/track", b"nonsense")).status == 400
        assert await made.records() == []
        assert [(one.code, one.body) for one in made.refused] == [("no_consent", b""), ("invalid_json", b"")]


def test_a_name_is_denied_wherever_it_stands() -> None:
    """In any part, at any depth, in lists, in capitals, and written with escapes."""
    deny = {"deny": "phone, کدملی"}
    given = {"Phone": 1, "a": [{"phone": 2, "b": 3}, [{"کدملی": "1"}]], "telephone": 4, "text": "phone"}
    assert part(deny, "properties", given) == {"a": [{"b": 3}, [{}]], "telephone": 4, "text": "phone"}
    assert part(deny, "context", {"traits": {"phone": 1, "x": 2}}) == {"traits": {"x": 2}}
    door = open_door(Settings(deny="phone"))
    line = json.dumps({**EVENT, "properties": {"a": 1}}).replace('"a": 1', '"ph\\u006fne": 1').encode()
    record = accept_line(line, 1, 0, NOW, door=door)
    assert isinstance(record, Record)
    assert bytes(record.properties) == b"{}"


def test_a_path_is_denied_where_it_leads() -> None:
    """And an identify's traits also where they stand in its context."""
    deny = {"deny": "traits.address.street,context.device.id,properties"}
    address = {"address": {"street": "x", "city": "y"}, "street": "z"}
    assert part(deny, "traits", address, "identify") == {"address": {"city": "y"}, "street": "z"}
    kept = {"device": {"model": "m"}, "traits": {"address": {"city": "y"}}}
    assert (
        part(deny, "context", {"device": {"id": 1, "model": "m"}, "traits": {"address": {"street": 1, "city": "y"}}})
        == kept
    )
    assert part(deny, "properties", {"id": 1, "address": {"street": 2}}) == {"id": 1, "address": {"street": 2}}


def test_what_is_named_is_hashed() -> None:
    """Texts and numbers by HMAC-SHA-256, e-mail addresses alike however they are written; what is empty stays so."""
    hashes = {"hash_fields": "email,traits.ssn"}
    given = {"email": " Ada@Example.com ", "ssn": 123, "other": "ada@example.com"}
    ada = digest("ada@example.com")
    assert part(hashes, "traits", given, "identify") == {"email": ada, "ssn": digest("123"), "other": "ada@example.com"}
    several = {"email": ["a@b", {"work": "c@d", "ok": True}, None, ""], "ssn": 5}
    found = part(hashes, "properties", several)
    assert found == {"email": [digest("a@b"), {"work": digest("c@d"), "ok": True}, None, ""], "ssn": 5}


def test_denied_wins_over_hashed() -> None:
    """What is taken out is nowhere."""
    assert part({"hash_fields": "email", "deny": "email"}, "traits", {"email": "a@b", "x": 1}, "identify") == {"x": 1}


def test_other_events_stay_as_they_were_sent() -> None:
    """Byte for byte, spaces and all, where nothing of them is named."""
    door = open_door(Settings.model_validate({"deny": "phone", "hash_fields": "email", "hash_secret": SECRET}))
    assert door.privacy is not None
    raw = b'{"type":"track","messageId":"m","userId":"u","event":"x","properties":{ "price" : 1.0 }}'
    record = accept_line(raw, 1, 0, NOW, door=door)
    assert isinstance(record, Record)
    assert bytes(record.properties) == b'{ "price" : 1.0 }'
    assert open_door(Settings()).privacy is None


values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["phone", "PHONE", "a", "b", "é"]), inner, max_size=3),
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["phone", "a", "b"]), values))
def test_nothing_denied_remains(part: dict[str, Any]) -> None:
    """However it is nested; and the rest is as it was."""
    privacy = Privacy([], ["phone"], [], "")
    rewritten = privacy._walked(part, ("properties",))
    assert "phone" not in json.dumps(rewritten).lower() or "phone" in str(values_of(part)).lower()
    assert rewritten == privacy._walked(rewritten, ("properties",))


def values_of(part: Any) -> list[Any]:
    """Every text in a part that is not a key."""
    if isinstance(part, dict):
        return [one for inner in part.values() for one in values_of(inner)]
    return [one for inner in part for one in values_of(inner)] if isinstance(part, list) else [part]


def test_hashing_needs_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of sixteen characters or more; it is shown nowhere."""
    with pytest.raises(BadSettings, match="MILEPOST_HASH_SECRET"):
        load(hash_fields="email")
    with pytest.raises(BadSettings) as told:
        load(hash_fields="email", hash_secret="too short")
    assert "too short" not in str(told.value)
    monkeypatch.setenv("MILEPOST_HASH_SECRET", SECRET)
    assert SECRET not in str(in_force())
    assert load(hash_fields="email").hash_secret.get_secret_value() == SECRET


@pytest.mark.parametrize("proxies", ["10.0.0.0/8", "10.0.0.1, ::1", "*", ""])
def test_proxies_are_addresses_or_networks(proxies: str) -> None:
    """Or any."""
    assert load(trusted_proxies=proxies).trusted_proxies == proxies
    with pytest.raises(BadSettings, match="MILEPOST_TRUSTED_PROXIES"):
        load(trusted_proxies=f"{proxies},proxy.internal")
