"""Parameters that a question does not have are refused: whoever misspells one would believe the answer."""

from difflib import get_close_matches

from fastapi import Request
from fastapi.routing import APIRoute

from services.metrics.errors import invalid

#: Is refused where tokens are read, with what to do instead.
TOKEN = "token"  # noqa: S105 - the name of a parameter


def known_only(request: Request) -> None:
    """Raises Refused for a query parameter that the OpenAPI document does not tell of, naming it and the nearest."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute) or not route.path.startswith("/v1/"):
        return
    path = request.app.openapi()["paths"].get(route.path_format, {})
    told = path.get(request.method.lower(), {}).get("parameters", ())
    known = [parameter["name"] for parameter in told if parameter["in"] == "query"]
    for name in request.query_params:
        if name not in known and name != TOKEN:
            near = get_close_matches(name, known, 1)
            remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}"
            raise invalid(name[:100], f"there is no parameter {name[:100]!r} here: {remedy}")
