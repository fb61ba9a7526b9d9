"""What stands beside the front door when ingest runs alone: health, metrics, and the OpenAPI document of all of it."""

import logging
from collections.abc import Awaitable
from importlib.resources import files
from typing import Any

import yaml
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route

from services.ingest.app import App
from services.ingest.body import Receive, Scope
from shared.log.port import Log, LogUnavailable
from shared.metric import CONTENT_TYPE, Source, exposition

_logger = logging.getLogger(__name__)


def alone(ingest: App, log: Log, *sources: Source) -> App:
    """The whole of a process that runs ingest and nothing else."""
    side = build_side(log, *sources)
    own = {route.path for route in side.routes if isinstance(route, Route)}

    def app(scope: Scope, receive: Receive, send: Any) -> Awaitable[None]:
        return (ingest if scope["type"] == "http" and scope["path"] not in own else side)(scope, receive, send)

    return app


def build_side(log: Log, *sources: Source) -> FastAPI:
    """The app for everything but events; what the sources count is its metrics page."""
    app = FastAPI(title="Milepost ingest", docs_url=None, redoc_url=None)

    @app.get("/livez", tags=["health"], summary="Whether the process runs")
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"], summary="Whether events can be expected to be accepted now")
    async def readyz() -> JSONResponse:
        try:
            await log.healthy()
        except LogUnavailable as unavailable:
            _logger.warning("not ready: %s", unavailable)
            message = "The log takes nothing at the moment; the service's log says why."
            return JSONResponse({"code": "unavailable", "message": message}, 503, {"Retry-After": "2"})
        return JSONResponse({"status": "ok"})

    @app.get("/metrics", tags=["health"], summary="Metrics in Prometheus's text format")
    async def metrics() -> Response:
        return Response(exposition(*sources), media_type=CONTENT_TYPE)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
        message = f"{request.method} {request.url.path}: {error.detail}. Events go to /v1/batch or /v1/track."
        return JSONResponse({"code": code, "message": message}, error.status_code, error.headers)

    own = app.openapi
    app.openapi = lambda: describe(own())  # type: ignore[method-assign]  # FastAPI's documented way to add to it
    return app


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with the front door's paths added, which FastAPI knows nothing of."""
    front: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("openapi.yaml").read_text("utf-8"))
    document.setdefault("paths", {}).update(front["paths"])
    components = document.setdefault("components", {})
    for kind, parts in front["components"].items():
        components.setdefault(kind, {}).update(parts)
    return document
