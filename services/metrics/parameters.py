"""Parameters that a question does not have are refused: whoever misspells one would believe the answer."""

from difflib import get_close_matches

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute

from services.metrics.errors import invalid

#: Is refused where tokens are read, with what to do instead.
TOKEN = "token"  # noqa: S105 - the name of a parameter


class KnownOnly:
    """Refuses the query parameters that an app's OpenAPI document does not tell of. The document is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}

    async def __call__(self, request: Request) -> None:
        """Raises Refused, naming the parameter and the nearest that the path has."""
        route = request.scope.get("route")
        if not request.query_params or not isinstance(route, APIRoute) or not route.path.startswith("/v1/"):
            return
        if not self._known:
            self._known = _told(request.app)
        known = self._known.get((route.path_format, request.method), ())
        for name in request.query_params:
            if name not in known and name != TOKEN:
                near = get_close_matches(name, known, 1)
                remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}"
                raise invalid(name[:100], f"there is no parameter {name[:100]!r} here: {remedy}")


def _told(app: FastAPI) -> dict[tuple[str, str], tuple[str, ...]]:
    return {
        (path, method.upper()): tuple(one["name"] for one in operation.get("parameters", ()) if one["in"] == "query")
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    }
