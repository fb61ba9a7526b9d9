"""What every refusal looks like: a code for programs, a message with the remedy for people, the field it is about."""

from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from shared.store.port import StoreUnavailable


class Error(BaseModel):
    """A refusal."""

    code: Annotated[str, Field(examples=["invalid_parameter"])]
    message: Annotated[str, Field(examples=["'yesterday' is not an instant: write a date (2026-03-31) or …"])]
    field: Annotated[str | None, Field(description="the parameter that it is about", examples=["at"])] = None


class Refused(Exception):
    """A request that cannot be answered, and the answer it gets instead; `more` are further fields of the body."""

    def __init__(
        self, status: int, code: str, message: str, field: str | None = None, more: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.field, self.more = status, code, message, field, more or {}


def invalid(field: str, message: str) -> Refused:
    """A parameter that cannot be."""
    return Refused(400, "invalid_parameter", message, field)


#: The refusals that any question may meet, for the OpenAPI document.
RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"model": Error, "description": "A parameter cannot be read; `field` names it."},
    401: {"model": Error, "description": "The query token is missing or unknown."},
    403: {"model": Error, "description": "The key given is not one to ask with, or the token may only ask."},
    503: {"model": Error, "description": "The store cannot be reached; try again."},
    "default": {"model": Error, "description": "Anything else that went wrong."},
}

#: … and any that names a journey or a customer.
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Error, "description": "There is none of this name."}}

#: … and any that asks a version as of an instant.
RETIRED: dict[int | str, dict[str, Any]] = {
    409: {"model": Error, "description": "The version was retired before that instant."}
}


def _body(code: str, message: str, field: str | None = None, **more: Any) -> dict[str, Any]:
    return {"code": code, "message": message, **({"field": field} if field else {}), **more}


_HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}


def install(app: FastAPI) -> None:
    """Makes every error of the app look like that."""

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> JSONResponse:
        headers = {"WWW-Authenticate": 'Bearer realm="milepost"'} if error.status == 401 else None
        body = _body(error.code, error.message, error.field, **error.more)
        return JSONResponse(body, error.status, headers)

    @app.exception_handler(RequestValidationError)
    async def unreadable(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        field = ".".join(str(step) for step in first["loc"][1:])
        if not field or first["type"] == "json_invalid":  # the body as a whole: not JSON, or not called so
            remedy = "send it as a JSON object, with Content-Type: application/json"
            return JSONResponse(_body("invalid_parameter", f"the body: {remedy}", "body"), 400)
        return JSONResponse(_body("invalid_parameter", f"{field}: {first['msg']}", field), 400)

    @app.exception_handler(StoreUnavailable)
    async def unavailable(_: Request, error: StoreUnavailable) -> JSONResponse:
        return JSONResponse(
            _body("store_unavailable", "The store cannot be reached; try again."), 503, {"Retry-After": "2"}
        )

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        message = f"{request.method} {request.url.path}: {error.detail}"
        code = _HTTP_CODES.get(error.status_code, "refused")
        return JSONResponse(_body(code, message), error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse(_body("internal_error", "Something failed here; the service's log says what."), 500)
