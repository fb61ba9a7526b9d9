"""Paths: those of every protocol, with the owner's prefix or without, and those that are nobody's."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.ingest.protocols.all import PROTOCOLS
from services.ingest.routes import FAMILIES, family
from shared.telemetry import UNKNOWN_PATHS
from tests.support.front import KEY, Front, filled, front

PATHS = sorted({path for protocol in PROTOCOLS for path in protocol.paths})
ORIGIN = (b"origin", b"https://shop.example")
PAGE = {"messageId": "m", "anonymousId": "a"}


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Front]:
    """The app over an empty log."""
    async with front(tmp_path, path_prefix="/collect/") as made:
        yield made


@pytest.mark.parametrize("path", PATHS)
async def test_every_path_answers_a_preflight(door: Front, path: str) -> None:
    """Every header that SDKs send is named, for a star would not cover Authorization."""
    answer = await door.call("OPTIONS", filled(path), headers=(ORIGIN, (b"access-control-request-method", b"POST")))
    assert answer.status == 204
    named = answer.headers["access-control-allow-headers"]
    for header in ("Authorization", "Content-Type", "Content-Encoding", "X-Retry-Count", "X-Write-Key", "AnonymousId"):
        assert header in named
    assert "*" not in named
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("shape", ["{}", "{}/", "/{}", "/collect{}", "/collect{}/", "/collect/{}"])
async def test_every_path_may_have_slashes_and_the_owners_prefix(door: Front, path: str, shape: str) -> None:
    """A host name given with a slash at its end makes two of one; some SDKs add one at the end."""
    plain = await door.call("POST", filled(path))
    other = await door.call("POST", shape.format(filled(path)))
    assert plain.status != 404
    assert (other.status, other.body) == (plain.status, plain.body)


async def test_the_browser_sdk_is_told_the_prefix_that_it_called(door: Front, tmp_path: Path) -> None:
    """With the public address, if there is one, which may name the prefix already."""
    path = f"/v1/projects/{KEY}/settings"
    for prefix, host in (("", "track.example:8000/v1"), ("/collect", "track.example:8000/collect/v1")):
        answer = await door.call("GET", prefix + path)
        assert answer.body["integrations"]["Segment.io"]["apiHost"] == host
    for number, url in enumerate(("https://shop.example", "https://shop.example/collect")):
        (tmp_path / str(number)).mkdir()
        async with front(tmp_path / str(number), path_prefix="/collect", public_url=url) as public:
            answer = await public.call("GET", f"/collect{path}")
            assert answer.body["integrations"]["Segment.io"]["apiHost"] == "shop.example/collect/v1"


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/unheard", "/v1/projects//settings", "/collect", "/x" * 5000, "/%00", "/ü"]
)
async def test_a_path_that_is_nobodys_is_404(door: Front, path: str) -> None:
    """In JSON, and a page may read it, after a preflight, too."""
    for method in ("GET", "POST", "PUT"):
        answer = await door.call(method, path, headers=(ORIGIN,))
        assert (answer.status, answer.body["code"], answer.body["success"]) == (404, "not_found", False)
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert (await door.call("OPTIONS", path, headers=(ORIGIN,))).status == 204


@pytest.mark.parametrize(
    ("path", "whose"),
    [
        ("/v1/projects/x/plan", "segment"),
        ("/analytics.js/v1/x/analytics.min.js", "segment"),
        ("/sourceConfiguration", "other"),
        ("/rsaRequest", "rudderstack"),
        ("/api/s/", "jitsu"),
        ("/api/projects/1/feature_flags", "posthog"),
        ("/surveys", "posthog"),
        ("/static/recorder.js", "posthog"),
        ("/wp-login.php", "other"),
    ],
)
def test_an_unknown_path_tells_whose_sdk_asked(path: str, whose: str) -> None:
    """By how it begins."""
    assert family(path) == whose


async def test_unknown_paths_are_counted_by_family(door: Front) -> None:
    """And never by their text, which a sender chooses."""
    assert UNKNOWN_PATHS.values == FAMILIES
    for path in ("/wp-login.php", "/a", "/collect/rsaRequest"):
        await door.call("GET", path)
    counted = {
        whose: door.registry.get_sample_value("milepost_unknown_paths_total", {"family": whose}) for whose in FAMILIES
    }
    assert counted == dict.fromkeys(FAMILIES, 0) | {"other": 2, "rudderstack": 1}
