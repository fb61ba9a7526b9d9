"""The JSON Schema of definitions, for editors: it asks for no token, since editors have none."""

from fastapi import APIRouter, Response

from services.metrics.auth import Asked
from services.metrics.service import Service
from shared.journeys import schema

#: Seconds for which an editor may keep it.
KEPT = 3600


def router(service: Service, asked: Asked) -> APIRouter:
    """GET /v1/journeys/schema.json."""
    routes = APIRouter(tags=["journeys"])
    text = schema.spelt()

    @routes.get(
        "/v1/journeys/schema.json",
        summary="The JSON Schema of a definition",
        response_class=Response,
        responses={200: {"content": {"application/schema+json": {"schema": {"type": "object"}}}}},
        openapi_extra={"security": []},
    )
    async def read() -> Response:
        """What may stand where in a definition, for editors that complete, explain and check it. Needs no token.

        Begin a definition with `# yaml-language-server: $schema=` and this address.
        """
        return Response(
            text,
            media_type="application/schema+json",
            headers={"Cache-Control": f"public, max-age={KEPT}", "Access-Control-Allow-Origin": "*"},
        )

    return routes
