"""What a token that may only ask is refused, over both databases."""

from pathlib import Path

from shared.store import admin
from shared.store.engine import writing
from tests.support.asking import client, site

#: POSTs that change nothing: their body is the question.
ASK = {
    *(f"/v1/journeys/{word}" for word in ("validate", "explain", "test", "diff", "dry-run", "fit")),
    "/v1/exclusions/preview",
}


async def test_a_read_only_token_asks_and_changes_nothing(address: str | Path, tmp_path: Path) -> None:
    """Whatever is asked by GET, or is a question with a body, is answered; all else that is posted is refused."""
    async with site(address, tmp_path) as shop:
        async with writing(shop.database) as db:
            _, token = await admin.create_query_token(db, 1, "wall", admin.READ)
        app = shop.app()
        async with client(app, token) as reader:
            assert (await reader.get("/v1/journeys/shop/stages")).status_code == 200
            refused, asked = set(), set()
            for path, operations in app.openapi()["paths"].items():
                assert operations.keys() <= {"get", "post"}, f"{path}: who may ask for this?"
                if "post" not in operations:
                    continue
                answer = await reader.post(path.replace("{journey}", "shop").replace("{number}", "1"), json={})
                if answer.status_code == 403:
                    assert answer.json()["code"] == "read_only_token"
                    assert "milepost tokens create" in answer.json()["message"]
                    refused.add(path)
                else:
                    asked.add((path, *operations["post"]["tags"]))
            assert {one[0] for one in asked if "questions" not in one} == ASK
            assert {"/v1/journeys", "/v1/exclusions", "/v1/journeys/{journey}/retire"} <= refused
            assert not ASK & refused
