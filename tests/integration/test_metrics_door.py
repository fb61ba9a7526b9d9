"""The door of the metrics service: who may ask, how refusals look, what the OpenAPI document says, the first look."""

import asyncio
import re
from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from services.commands.assembly import validation
from services.commands.ephemeral import Pausable, Trial
from services.commands.refusals import RefusalWriter
from services.ingest.side import describe
from services.metrics.api import ephemeral
from services.metrics.app import build_metrics
from services.metrics.auth import COOKIE
from services.metrics.pages.words import Languages
from shared.log.port import Entry
from shared.settings import Settings
from shared.store import admin, rejections, sqlite
from shared.store.engine import engine, writing
from shared.store.rows import Rejection
from tests.support.asking import SHOP, Site, at, client, record, site
from tests.support.journeys import teller

QUESTIONS = (
    "/v1/journeys",
    "/v1/journeys/shop/stages",
    "/v1/journeys/shop/stages/series",
    "/v1/journeys/shop/movements",
    "/v1/journeys/shop/transitions",
    "/v1/customers/u1",
    "/v1/customers/u1/journeys/shop/history",
    "/v1/customers/u1/journeys/shop/why",
    "/v1/journeys/shop/stays",
    "/v1/journeys/shop/velocity",
    "/v1/journeys/shop/touchpoints",
    "/v1/journeys/shop/churn",
    "/v1/journeys/shop/leaving",
    "/v1/paths/follows",
    "/v1/paths/variants",
    "/v1/paths/loops",
    "/v1/paths/steps",
    "/v1/rejections",
    "/v1/dead-letters",
)

#: What anybody may read.
OPEN = ("/v1/journeys/schema.json",)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Site]:
    """A shop with a customer, a rejection and a dead letter."""
    async with site(tmp_path / "store.db", tmp_path) as made:
        async with writing(made.database) as db:
            await rejections.add(db, [Rejection(1, 1, at("2099-03-01T10:00"), 0, "missing_id", "", "why", 2, b"{}")])
        await made.log.append([Entry(b"k", b"{")])
        await made.receive(record("1", "2024-03-01T10:00", type="page", context={"ip": "<script>"}))
        yield made


# --- Who may ask --------------------------------------------------------------------------------------------------


async def test_every_question_needs_a_token(shop: Site) -> None:
    """No token, an unknown one, a write key and a token in the address are refused, with what to do instead."""
    refused: list[tuple[dict[str, str], str, int, str]] = [
        ({}, "", 401, "missing_token"),
        ({"Authorization": "Bearer qt_nobody"}, "", 401, "unknown_token"),
        ({"Authorization": "Bearer \u00ff"}, "", 401, "unknown_token"),
        ({"Authorization": f"Basic {shop.token}"}, "", 401, "missing_token"),
        ({"Authorization": "Bearer wk_abc"}, "", 403, "write_key"),
        ({"Authorization": f"Bearer {shop.token}"}, f"?token={shop.token}", 401, "token_in_address"),
        ({}, f"?token={shop.token}", 401, "token_in_address"),
    ]
    async with client(shop.app()) as stranger:
        for path in QUESTIONS:
            for headers, query, status, code in refused:
                raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
                answer = await stranger.get(path + query, headers=raw)
                assert (answer.status_code, answer.json()["code"]) == (status, code)
                assert "Authorization: Bearer qt_" in answer.json()["message"]
                assert ("www-authenticate" in answer.headers) == (status == 401)
                assert shop.token not in answer.text
        assert (await stranger.post("/v1/journeys", content=SHOP)).status_code == 401


async def test_a_revoked_token_ends_at_once(shop: Site) -> None:
    """The next question after a token was revoked is refused."""
    async with writing(shop.database) as db:
        made, token = await admin.create_query_token(db, 1, "guest")
    async with client(shop.app(), token) as guest:
        assert (await guest.get("/v1/journeys")).status_code == 200
        async with writing(shop.database) as db:
            assert await admin.revoke_query_token(db, made.number)
        assert (await guest.get("/v1/journeys")).json()["code"] == "unknown_token"


async def test_a_token_asks_for_its_own_project(shop: Site) -> None:
    """Another project's token sees nothing of this one's journeys and customers."""
    async with writing(shop.database) as db:
        other = await admin.create_project(db, "other", "Asia/Tehran")
        _, token = await admin.create_query_token(db, other.project, "guest")
    async with client(shop.app(), token) as guest:
        assert (await guest.get("/v1/journeys")).json()["journeys"] == []
        assert (await guest.get("/v1/journeys/shop/stages")).status_code == 404
        assert (await guest.get("/v1/customers/u1")).status_code == 404
        assert (await guest.post("/v1/journeys", content=SHOP)).json() == {"journey": "shop", "version": 1}
        assert (await guest.get("/v1/journeys/shop/stages")).json()["total"] == 0


async def test_a_browser_reads_by_its_cookie_and_changes_nothing_by_it(shop: Site) -> None:
    """Links on the page work for whoever signed in; a request that another site could send changes nothing."""
    async with client(shop.app()) as browser:
        signed = await browser.post("/", data={"token": shop.token})
        assert (signed.status_code, signed.headers["location"]) == (303, "/")
        cookie = signed.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.lower()
        for path in QUESTIONS:
            assert (await browser.get(path)).status_code == 200
        assert (await browser.post("/v1/journeys", content=SHOP)).status_code == 401


# --- How refusals look --------------------------------------------------------------------------------------------


async def test_every_refusal_has_a_code_and_a_message(shop: Site) -> None:
    """Unknown paths, wrong methods and unknown parameters' values are JSON like any other refusal."""
    for method, path, status, code in (
        ("GET", "/v2/journeys", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
        ("DELETE", "/v1/journeys", 405, "method_not_allowed"),
        ("PUT", "/metrics", 405, "method_not_allowed"),
        ("GET", "/v1/journeys/shop/transitions?limit=1.5", 400, "invalid_parameter"),
        ("GET", "/v1/journeys/shop/transitions?untill=2024-03-01", 400, "invalid_parameter"),
        ("POST", "/v1/journeys/shop/rollback?to=2", 400, "invalid_parameter"),
        *(
            ("GET", f"/v1/{path}?since=2024-05-01&until=2024-04-01", 400, "invalid_parameter")
            for path in ("visits", "paths/variants", "journeys/shop/movements", "journeys/shop/transitions")
        ),
    ):
        answer = await shop.client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["message"]


async def test_the_document_is_not_made_anew_for_each_question(shop: Site) -> None:
    """Making it takes longer than most answers do: which parameters there are is read from it once."""
    app, made = shop.app(), 0
    own = app.openapi

    def counted() -> dict[str, Any]:
        nonlocal made
        made += 1
        return own()

    app.openapi = counted  # type: ignore[method-assign] # FastAPI's documented way
    async with client(app, shop.token) as asker:
        for _ in range(3):
            assert (await asker.get("/v1/rejections", params={"limit": "1"})).status_code == 200
    assert made == 1


async def test_a_fault_of_ours_says_nothing_of_our_insides(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault is a 500 with a code; its text stays in the log."""
    monkeypatch.setattr("services.metrics.api.stages.titled", lambda *_: 1 / 0)
    answer = await shop.client.get("/v1/journeys/shop/stages")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "division" not in answer.text


async def test_a_store_out_of_reach_is_told_without_its_address(tmp_path: Path) -> None:
    """Without its store the service lives but is not ready, answers 503, and shows no old numbers."""
    secret = "postgresql://ops:hunter2@127.0.0.1:9/shop"
    gone = engine(secret)
    async with sqlite.open(tmp_path / "gone.db", 1) as store:
        app = build_metrics(store, gone, None, Settings(), teller())
        async with client(app, "qt_any") as asker:
            for path in ("/v1/journeys", "/readyz"):
                answer = await asker.get(path)
                assert answer.status_code == 503
                assert answer.json().keys() == {"code", "message"}
                assert not re.search("hunter2|127|gone", answer.text)
            assert (await asker.get("/livez")).json() == {"status": "ok"}
            page = (await asker.get("/metrics")).text
            assert "milepost_store_up 0.0" in page
            assert "milepost_stage_customers" not in page
    await gone.dispose()


async def test_a_service_is_ready_when_its_store_is(shop: Site) -> None:
    """With the store there, the service is alive and ready, for anybody who asks."""
    async with client(shop.app()) as anybody:
        assert (await anybody.get("/livez")).json() == (await anybody.get("/readyz")).json() == {"status": "ok"}


# --- What the OpenAPI document says -------------------------------------------------------------------------------


def resolved(schema: Any, document: dict[str, Any]) -> Any:
    """A schema with everything that it refers to."""
    return {**schema, "components": document["components"]}


async def idle(stop: asyncio.Event) -> None:
    """Does nothing, until it is told to stop."""
    await stop.wait()


def everything(shop: Site) -> dict[str, Any]:
    """The OpenAPI document of the service with all its rooms."""
    settings = Settings()
    trial = Trial(shop.log, shop.database, RefusalWriter(shop.database), Pausable(idle))
    rooms = [validation(shop.store, shop.database, settings, teller()), ephemeral.room(trial, teller())]
    return build_metrics(shop.store, shop.database, shop.log, settings, teller(), [], rooms).openapi()


async def test_the_openapi_document_is_valid_and_says_everything(shop: Site) -> None:
    """Every path and parameter is described, every question says how it may be refused and needs a token."""
    document = everything(shop)
    validate(document)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"]
            assert "HTTPValidationError" not in str(operation)
            if not path.startswith("/v1/") or path in OPEN:
                continue
            assert operation["security"] in ([{"query_token": []}], [{"query_token": ["write"]}])
            assert {"400", "401", "403", "503"} <= operation["responses"].keys()
            for parameter in operation["parameters"]:
                assert parameter["in"] == "path" or parameter["description"], (path, parameter["name"])
                assert parameter["name"] != "token"


async def test_every_request_described_needs_a_token(shop: Site) -> None:
    """Whatever the document tells of is refused without one, but for what is open to all."""
    document = everything(shop)
    async with client(shop.app()) as stranger:
        for path, operations in document["paths"].items():
            if not path.startswith(("/v1/_test/", "/v1/validate")) and path.startswith("/v1/"):
                place = re.sub(r"\{\w+\}", "1", path.replace("{journey}", "shop").replace("{id}", "u1"))
                for method in operations:
                    answer = await stranger.request(method, place)
                    assert (answer.status_code == 401) == (path not in OPEN), (method, path)


async def test_one_document_tells_of_both_doors(shop: Site) -> None:
    """With ingest's paths added, as on one origin, the document is valid and nothing in it has changed its meaning."""
    alone = everything(shop)
    both = describe(deepcopy(alone))
    validate(both)
    for kind, parts in alone["components"].items():
        assert parts.items() <= both["components"][kind].items()
    assert alone["paths"].items() < both["paths"].items()


async def test_every_field_has_an_example_that_it_allows(shop: Site) -> None:
    """Examples in the document are of the types that they are examples of."""
    document = everything(shop)
    examples = 0
    for name, model in document["components"]["schemas"].items():
        for field, schema in model["properties"].items():
            for example in schema.get("examples", []):
                jsonschema.validate(example, resolved(schema, document))
                examples += 1
            plain = schema.get("type") in ("string", "integer", "number", "boolean")
            assert not plain or "examples" in schema or "enum" in schema or "const" in schema, (name, field)
    assert examples > 40


async def test_answers_are_what_the_document_says(shop: Site) -> None:
    """Each question's real answer, and its refusal, validates against its schema in the document."""
    document = (await shop.client.get("/openapi.json")).json()
    async with client(shop.app()) as stranger:
        for path in QUESTIONS:
            described = re.sub("/shop(?=/|$)", "/{journey}", path).replace("u1", "{id}")
            responses = document["paths"][described]["get"]["responses"]
            for asker, status in ((shop.client, "200"), (stranger, "401")):
                answer = await asker.get(path)
                schema = responses[status]["content"]["application/json"]["schema"]
                jsonschema.validate(answer.json(), resolved(schema, document))
                assert str(answer.status_code) == status


# --- The first look -----------------------------------------------------------------------------------------------


async def test_a_stranger_is_asked_for_a_token(shop: Site) -> None:
    """Without a cookie the page is a form, and a wrong token is told so and not kept."""
    async with client(shop.app()) as browser:
        page = await browser.get("/")
        assert page.status_code == 401
        assert 'name="token"' in page.text
        wrong = await browser.post("/", data={"token": "qt_nobody"})
        assert wrong.status_code == 401
        assert 'role="alert"' in wrong.text
        assert "set-cookie" not in wrong.headers


async def test_the_first_look_shows_the_stages(shop: Site) -> None:
    """Whoever signed in sees the customers in each stage, in the browser's language, and can sign out."""
    async with client(shop.app()) as browser:
        await browser.post("/", data={"token": f" {shop.token} "})
        page = await browser.get("/", headers={"Accept-Language": "fa"})
        assert page.status_code == 200
        assert '<html lang="fa" dir="rtl">' in page.text
        rows = re.findall(r'<th scope="row">([^<]+).*?<td>([^<]+)</td></tr>', page.text)
        titles = ["بازدیدکننده", "خریدار", "در هیچ مرحله‌ای", "gone"]
        number = Languages().spoken["fa"].number
        assert rows == [(title, number(n)) for title, n in zip(titles, (1, 0, 0, 0), strict=True)]
        assert shop.token not in page.text
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert page.headers["cache-control"] == "no-store"
        await browser.post("/", data={"token": ""})
        assert COOKIE not in browser.cookies
        assert (await browser.get("/")).status_code == 401


async def test_what_customers_and_marketers_write_is_text_on_the_page(shop: Site) -> None:
    """Markup in a title is shown, not run."""
    bad = SHOP.replace("{en: Shop, fa: فروشگاه}", "\"<script>alert('x')</script>\"").replace(
        "journey: shop", "journey: bad"
    )
    assert (await shop.client.post("/v1/journeys", content=bad)).status_code == 201
    async with client(shop.app()) as browser:
        await browser.post("/", data={"token": shop.token})
        page = (await browser.get("/")).text
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in page
