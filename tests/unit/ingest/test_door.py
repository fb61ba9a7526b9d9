"""What the door puts on a record beside what was sent: bots, addresses, places; and what it makes of addresses."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.ingest.accept import accept_line
from services.ingest.door import open_door
from services.ingest.geo import Place, finder
from services.ingest.keys import WriteKey
from shared.events import Record, Seen
from shared.settings import BadSettings, Settings
from tests.support import front as fronts
from tests.support.front import NOW, FixedKeys, Front, front
from tests.support.geo import geoip_file

FIREFOX = b"Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
GOOGLEBOT = b"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
EVENT = {"type": "page", "messageId": "m", "anonymousId": "a"}


async def sent(made: Front, *headers: tuple[bytes, bytes], **context: Any) -> Record:
    """The record of a page that was sent with this context."""
    assert (await made.post("/v1/page", {**EVENT, "context": context}, *headers)).status == 200
    return (await made.records())[-1]


def folder(path: Path, name: str) -> Path:
    """A folder for a second front."""
    (path / name).mkdir()
    return path / name


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one key of the front is a browser's."""
    _kind(monkeypatch, "browser")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a server's."""
    _kind(monkeypatch, "server")


def _kind(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    keys = FixedKeys(**{fronts.KEY: WriteKey(7, 1, "test", kind)})
    monkeypatch.setattr(fronts, "FixedKeys", lambda **_: keys)


@pytest.mark.usefixtures("browser")
async def test_a_browsers_request_says_who_sent_it(tmp_path: Path) -> None:
    """Its address, cut to its network, and what the context does not say of agent and language."""
    headers = (b"user-agent", FIREFOX), (b"accept-language", b"fa-IR,fa;q=0.9")
    async with front(tmp_path, ip="truncate") as made:
        assert await sent(made, *headers) == await sent(made, *headers)
        whole = Seen(ip="203.0.113.0", agent=FIREFOX.decode(), locale="fa-IR")
        assert (await sent(made, *headers)).seen == whole
        assert (await sent(made, *headers, userAgent="x", locale="en")).seen == Seen(ip="203.0.113.0")
        assert (await sent(made, *headers, locale="en")).seen == Seen(ip="203.0.113.0", agent=FIREFOX.decode())


@pytest.mark.usefixtures("server")
async def test_a_servers_request_says_nothing(tmp_path: Path) -> None:
    """A server speaks for others: only its events' contexts say who they are."""
    async with front(tmp_path, ip="truncate") as made:
        record = await sent(made, (b"user-agent", GOOGLEBOT), ip="198.51.100.9", userAgent=FIREFOX.decode())
        assert (record.seen, record.excluded) == (None, False)
        assert msgspec.json.decode(record.context)["ip"] == "198.51.100.0"
        record = await sent(made, (b"user-agent", FIREFOX), userAgent=GOOGLEBOT.decode())
        assert (record.seen, record.excluded) == (Seen(bot=True), True)


@pytest.mark.usefixtures("browser")
async def test_bots_are_marked_and_excluded(tmp_path: Path) -> None:
    """Unless the settings include them; programs with which people send their own events are none."""
    async with front(folder(tmp_path, "a")) as made:
        record = await sent(made, (b"user-agent", GOOGLEBOT))
        assert record.seen
        assert (record.seen.bot, record.excluded) == (True, True)
        record = await sent(made, (b"user-agent", b"curl/8.5.0"))
        assert record.seen
        assert (record.seen.bot, record.excluded) == (False, False)
        assert made.registry.get_sample_value("milepost_bots_total") == 1
    async with front(folder(tmp_path, "b"), bots="include") as made:
        record = await sent(made, (b"user-agent", GOOGLEBOT))
        assert record.seen
        assert (record.seen.bot, record.excluded) == (True, False)


@pytest.mark.parametrize(
    ("keep", "sent_ip", "kept"),
    [
        ("keep", "198.51.100.9", "198.51.100.9"),
        ("truncate", "198.51.100.9", "198.51.100.0"),
        ("truncate", "2001:db8:1:2:3::4", "2001:db8:1::"),
        ("truncate", "::ffff:198.51.100.9", "198.51.100.0"),
        ("truncate", " 198.51.100.9 ", "198.51.100.0"),
        ("truncate", "198.51.100.9, 10.0.0.1", None),
        ("truncate", "آدرس", None),
        ("truncate", "", None),
        ("truncate", 7, None),
        ("truncate", {"v4": "198.51.100.9"}, None),
        ("drop", "198.51.100.9", None),
    ],
)
@pytest.mark.usefixtures("server")
async def test_an_address_in_the_context_is_kept_as_set(tmp_path: Path, keep: str, sent_ip: Any, kept: Any) -> None:
    """Nothing else of the context changes, and what is no address is not kept."""
    rest = {"page": {"title": "کفش 😀"}, "library": {"name": "x"}}
    async with front(tmp_path, ip=keep) as made:
        context = msgspec.json.decode((await sent(made, ip=sent_ip, **rest)).context)
        assert context == {**rest, **({} if kept is None else {"ip": kept})}


@pytest.mark.usefixtures("server")
async def test_an_address_written_otherwise_is_cut_too(tmp_path: Path) -> None:
    """With escapes, or once more elsewhere in the context."""
    async with front(tmp_path, ip="truncate") as made:
        body = b'{"type":"page","messageId":"m","userId":"u","context":{"ip":"198.51.100.\\u0039","x":1}}'
        assert (await made.post("/v1/page", body)).status == 200
        assert msgspec.json.decode((await made.records())[-1].context) == {"x": 1, "ip": "198.51.100.0"}
        record = await sent(made, ip="198.51.100.9", network={"address": "198.51.100.9"})
        assert b"198.51.100.9" not in bytes(record.context)


@pytest.mark.usefixtures("browser")
async def test_the_context_says_more_of_the_address_than_the_request(tmp_path: Path) -> None:
    """Who overrides it, to 0.0.0.0 for one, is not overruled."""
    async with front(tmp_path, ip="truncate") as made:
        record = await sent(made, (b"user-agent", FIREFOX), ip="0.0.0.0", userAgent="x", locale="fa")
        assert (record.seen, msgspec.json.decode(record.context)["ip"]) == (None, "0.0.0.0")


@pytest.mark.parametrize(
    ("policy", "ip"), [(b"remove", None), (b"stripLastOctet", "203.0.113.0"), (b"keep", "203.0.113.77")]
)
@pytest.mark.usefixtures("browser")
async def test_a_sender_may_ask_that_less_is_kept(tmp_path: Path, policy: bytes, ip: str | None) -> None:
    """By Jitsu's header; but not for more than the setting keeps."""
    async with front(folder(tmp_path, "a"), ip="keep") as made:
        record = await sent(made, (b"x-ip-policy", policy), ip="198.51.100.9")
        assert ("ip" in msgspec.json.decode(record.context)) is (ip is not None)
        record = await sent(made, (b"x-ip-policy", policy))
        assert (record.seen and record.seen.ip) == ip
    async with front(folder(tmp_path, "b"), ip="drop") as made:
        assert (await sent(made, (b"x-ip-policy", policy))).seen is None


@pytest.mark.usefixtures("browser")
async def test_places_come_from_a_geoip_file(tmp_path: Path) -> None:
    """By the whole address, whatever is kept of it: the event's own, else the request's."""
    file = geoip_file(tmp_path / "city.mmdb")
    async with front(folder(tmp_path, "a"), ip="drop", geoip=str(file)) as made:
        assert (await sent(made)).seen == Seen(country="IR", region="IR-23", city="Tehran")
        assert (await sent(made, ip="198.51.100.9")).seen == Seen(country="SA")
        assert (await sent(made, ip="10.0.0.1")).seen is None


def test_what_stands_in_a_geoip_file(tmp_path: Path) -> None:
    """MaxMind's shape and the flat one, both versions of addresses; nothing for what is not there or no address."""
    find = finder(geoip_file(tmp_path / "city.mmdb"))
    assert find("203.0.113.200") == Place("IR", "IR-23", "Tehran")
    assert find("192.0.2.1") == Place("AE", "Dubai", "Dubai")
    assert find("2001:db8::7") == Place("EG", "Cairo", None)
    assert find("10.0.0.1") == find("nonsense") == find("") == Place()


def test_files_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    """As wrong settings are, with the remedy."""
    (tmp_path / "no.mmdb").write_bytes(b"nothing of the kind")
    (tmp_path / "own.yaml").write_text("own: 5")
    for name, given in {"geoip": "no.mmdb", "tables": "own.yaml"}.items():
        with pytest.raises(BadSettings, match=f"MILEPOST_{name.upper()}.*{given}"):
            open_door(Settings.model_validate({name: str(tmp_path / given)}))
    with pytest.raises(BadSettings, match="MILEPOST_GEOIP"):
        finder(tmp_path / "missing.mmdb")


def test_imported_lines_pass_the_same_door() -> None:
    """There is no request: the line's own context says who it was."""
    door = open_door(Settings())
    context = {"ip": "198.51.100.9", "userAgent": GOOGLEBOT.decode()}
    record = accept_line(json.dumps({**EVENT, "context": context}).encode(), 1, 0, NOW, door=door)
    assert isinstance(record, Record)
    assert (record.excluded, record.seen, b"198.51.100.0" in bytes(record.context)) == (True, Seen(bot=True), True)


@pytest.mark.parametrize(("keep", "kept"), [("truncate", "192.0.2.0"), ("drop", None), ("keep", "192.0.2.7")])
async def test_posthogs_address_is_cut_in_both_places(tmp_path: Path, keep: str, kept: str | None) -> None:
    """Its SDKs send it among the properties, from where it is read into the context."""
    properties = {"distinct_id": "d", "$ip": "192.0.2.7", "price": 1.5}
    body = {"api_key": fronts.KEY, "event": "Bought", "uuid": "m", "properties": properties}
    async with front(tmp_path, ip=keep) as made:
        assert (await made.post("/i/v0/e/", body)).status == 200
        (record,) = await made.records()
        assert msgspec.json.decode(record.properties) == {**properties, "$ip": kept}
        assert msgspec.json.decode(record.context).get("ip") == kept
