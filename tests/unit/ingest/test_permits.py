"""Which pages may send with a key, and how fast."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from services.ingest.app import build_ingest
from services.ingest.keys import WriteKey
from services.ingest.permits import BURST, Permits
from services.ingest.protocols import posthog
from services.ingest.protocols.port import Request, Takes
from services.ingest.refusals import WHOLE, Unreadable
from shared.log.sqlite import open_sqlite_log
from shared.settings import Settings
from tests.support.front import KEY, NOW, FixedKeys, Front, Noted

SHOP = ("https://shop.example", "*.shop.example")
EVENT = {"anonymousId": "a", "event": "Searched"}


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Callable[..., Front]]:
    """Makes the app with a write key KEY of a browser, with these origins and this rate."""
    async with open_sqlite_log(tmp_path / "front.db", 1, 3600) as log:

        def make(origins: tuple[str, ...] = (), rate: int = 0, kind: str = "browser", **settings: object) -> Front:
            keys = FixedKeys(**{KEY: WriteKey(7, 1, "site", kind, origins, rate)})
            refused, registry = Noted(), CollectorRegistry()
            chosen = Settings.model_validate(settings)
            return Front(build_ingest(log, keys, refused, chosen, registry, lambda: NOW), log, refused, registry)

        yield make


def from_page(origin: str) -> tuple[bytes, bytes]:
    """The header that a browser adds."""
    return b"origin", origin.encode()


@pytest.mark.parametrize(
    "origin",
    ["https://shop.example", "https://www.shop.example", "http://a.b.shop.example:8080", "HTTPS://SHOP.EXAMPLE"],
)
async def test_pages_of_the_origins_send(door: Callable[..., Front], origin: str) -> None:
    """An origin named exactly, or any host below a domain with a star."""
    answer = await door(SHOP).post("/v1/track", EVENT, from_page(origin))
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, origin)


@pytest.mark.parametrize(
    "origin",
    [
        "http://shop.example",
        "https://shop.example:8443",
        "https://notshop.example",
        "https://shop.example.evil.example",
        "https://.shop.example",
        "null",
        "\xff",
    ],
)
async def test_other_pages_are_refused(door: Callable[..., Front], origin: str) -> None:
    """Nothing is taken; the page can read why, and the owner finds it among the rejections."""
    front = door(SHOP)
    answer = await front.post("/v1/track", EVENT, from_page(origin))
    assert (answer.status, answer.body["code"]) == (403, "origin_refused")
    assert answer.headers["access-control-allow-origin"] == origin.encode().decode()
    assert await front.values() == []
    assert [(one.code, one.index, one.key) for one in front.refused] == [("origin_refused", WHOLE, 7)]
    assert front.registry.get_sample_value("milepost_refused_total", {"code": "origin_refused"}) == 1


async def test_what_names_no_origin_is_refused(door: Callable[..., Front]) -> None:
    """A program that does not say from where it sends; a key without origins takes it."""
    assert (await door(SHOP).post("/v1/track", EVENT)).status == 403
    assert (await door().post("/v1/track", EVENT)).status == 200


async def test_an_image_is_of_the_page_that_it_stands_on(door: Callable[..., Front]) -> None:
    """Browsers send no origin with an image, but the page's address."""
    event = {**EVENT, "type": "track"}
    for referer, status in (
        ("https://shop.example/a?b", 200),
        ("https://evil.example/shop.example", 403),
        ("//[", 403),
    ):
        answer = await door(SHOP).post("/v1/track", event, (b"referer", referer.encode()))
        assert answer.status == status, referer


def request() -> Request:
    """One without headers."""
    return Request({"headers": []}, "/v1/track", lambda _: "")


def test_a_key_sends_at_its_rate() -> None:
    """A burst at once, then at the rate; one request may go past it, and is paid for after."""
    at = [100.0]
    permits, key = Permits(lambda: at[0]), WriteKey(1, 1, "site", "browser", (), 8)

    def wait(events: int) -> int | None:
        try:
            permits.check(key, request(), events)
        except Unreadable as refused:
            return refused.again
        return None

    burst = int(BURST * key.rate)
    assert [wait(1) for _ in range(burst + 1)] == [*([None] * burst), 1]
    at[0] += 0.5
    assert [wait(1) for _ in range(5)] == [*([None] * 4), 1]
    at[0] += 0.125
    assert wait(burst) is None
    assert wait(1) == 10
    at[0] += 9.5
    assert wait(1) == 1
    at[0] += 1000
    assert [wait(1) for _ in range(burst + 1)] == [*([None] * burst), 1]


def test_keys_do_not_pay_for_each_other() -> None:
    """Each key has a rate of its own; a changed one is in force at once, and 0 is none."""
    permits = Permits(lambda: 0.0)
    key = WriteKey(1, 1, "site", "browser", (), 1)
    permits.check(key, request(), 50)
    with pytest.raises(Unreadable):
        permits.check(key, request(), 1)
    permits.check(key._replace(number=2), request(), 1)
    permits.check(key._replace(rate=0), request(), 1)


async def test_who_sends_too_fast_is_told_when_to_go_on(door: Callable[..., Front]) -> None:
    """429 with Retry-After, which the page may read; nothing is taken, and nothing is lost that would be listed."""
    front = door(rate=1)
    batch = {"batch": [{**EVENT, "type": "track"}] * 20}
    assert (await front.post("/v1/batch", batch, from_page("https://shop.example"))).status == 200
    answer = await front.post("/v1/batch", batch, from_page("https://shop.example"))
    assert (answer.status, answer.body["code"]) == (429, "rate_limited")
    assert 9 <= int(answer.headers["retry-after"]) <= 10
    assert answer.headers["x-ratelimit-reset"] == answer.headers["retry-after"]
    for name in ("Retry-After", "X-RateLimit-Reset"):
        assert name in answer.headers["access-control-expose-headers"]
    assert len(await front.records()) == 20
    assert front.refused == []


async def test_servers_are_told_in_retry_after_alone(door: Callable[..., Front]) -> None:
    """Segment's Node.js SDK 2 reads X-RateLimit-Reset as an instant long past, and would send again at once."""
    front = door(rate=1)
    batch = {"batch": [{**EVENT, "type": "track"}] * 20}
    assert [(await front.post("/v1/batch", batch)).status for _ in range(2)] == [200, 429]
    assert "x-ratelimit-reset" not in (await front.post("/v1/batch", batch)).headers


@pytest.mark.parametrize("path", sorted(path for path, what in posthog.ROUTES.items() if isinstance(what, Takes)))
async def test_posthogs_sdks_that_send_too_fast_are_503(door: Callable[..., Front], path: str) -> None:
    """Its browser SDK sends again after a 503, and drops its events after a 429."""
    front = door(rate=1)
    event = {"event": "Searched", "distinct_id": "a", "$distinct_id": "a"}
    sent = [
        await front.post(path, {**event, "$set": {"plan": n}}, from_page("https://shop.example")) for n in range(12)
    ]
    assert [answer.status for answer in sent] == [*[200] * 11, 503]
    assert (sent[-1].body["code"], sent[-1].headers["retry-after"]) == ("rate_limited", "1")
    assert front.refused == []


@pytest.mark.parametrize(
    ("kind", "settings", "guarded"),
    [
        ("browser", {}, True),
        ("browser", {"browser_joins": True}, False),
        ("server", {}, False),
        ("test", {}, False),
    ],
)
async def test_aliases_of_web_pages_are_guarded(
    door: Callable[..., Front], kind: str, settings: dict[str, object], guarded: bool
) -> None:
    """On the record of an alias, and of nothing else."""
    front = door(kind=kind, **settings)
    alias = {"type": "alias", "userId": "u", "previousId": "p"}
    await front.post("/v1/batch", {"batch": [alias, {"type": "identify", "userId": "u", "anonymousId": "p"}]})
    records = {record.type: record.guarded for record in await front.records()}
    assert records == {"alias": guarded, "identify": False}
