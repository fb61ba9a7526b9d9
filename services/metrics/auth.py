"""Who may ask: whoever shows a query token, in the Authorization header or (a browser, for reading) in a cookie."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Header, Query, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from services.metrics.errors import Refused
from services.metrics.service import Asker, Service
from shared.store import admin, reads
from shared.store.admin import QueryToken
from shared.store.engine import reading
from shared.store.reads import Project

COOKIE = "milepost_token"

REMEDY = "send the header `Authorization: Bearer qt_…`; `milepost tokens create NAME` makes a token"

#: A dependency that gives the asker, or raises Refused. What changes something takes it as
#: `Security(asked, scopes=CHANGES)`: it is refused to tokens that may only ask.
Asked = Callable[..., Awaitable[Asker]]
CHANGES = [admin.WRITE]


async def project_of(service: Service, token: str) -> Project | None:
    """The project that a query token asks for; None if there is no such token, or it was revoked."""
    found = await _known(service, token)
    return found and found[0]


async def _known(service: Service, token: str) -> tuple[Project, QueryToken] | None:
    """The project of a query token, and the token."""
    async with reading(service.database) as db:
        found = (await admin.query_tokens(db)).get(admin.hashed(token))
        if found is None:
            return None
        of = next(project for project in await reads.projects(db) if project.project == found.project)
        return of, found


def asked(service: Service) -> Asked:
    """The dependency of every question."""
    bearer = HTTPBearer(
        scheme_name="query_token", description="`milepost tokens create NAME` makes one", auto_error=False
    )

    async def asker(
        request: Request,
        response: Response,
        scopes: SecurityScopes,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
        accept_language: Annotated[str | None, Header(description="language of titles, such as fa")] = None,
        token: Annotated[str | None, Query(include_in_schema=False)] = None,
    ) -> Asker:
        response.headers["Cache-Control"] = "no-store"
        response.headers["Vary"] = "Accept-Language, Authorization, Cookie"
        if token is not None:
            message = "a token in an address ends up in logs and histories: revoke this one, make another, and "
            raise Refused(401, "token_in_address", message + REMEDY, "token")
        shown = credentials.credentials if credentials is not None else ""
        if (
            not shown and request.method == "GET"
        ):  # what changes something is never asked by a cookie: others can send it
            shown = request.cookies.get(COOKIE, "")
        if not shown:
            raise Refused(401, "missing_token", f"no query token: {REMEDY}")
        if shown.startswith("wk_"):
            raise Refused(403, "write_key", f"this is a write key: it sends events and answers nothing; {REMEDY}")
        known = await _known(service, shown)
        if known is None:
            raise Refused(401, "unknown_token", f"this query token is not known here, or was revoked: {REMEDY}")
        project, by = known
        if admin.WRITE in scopes.scopes and by.kind != admin.WRITE:
            remedy = "`milepost tokens create NAME`, without --read-only, makes one that may"
            raise Refused(403, "read_only_token", f"this query token asks, and changes nothing: {remedy}")
        return Asker(project, by.name, accept_language)

    return asker
