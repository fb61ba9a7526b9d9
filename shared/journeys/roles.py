"""Roles: what a site's event names mean. Templates speak in roles; templates/roles.yaml binds the names known."""

from collections.abc import Mapping
from functools import cache
from importlib import resources

import yaml

from shared.journeys.reading import Place

Roles = Mapping[str, tuple[str, ...]]


@cache
def known() -> Roles:
    """The names bound to each role out of the box."""
    text = resources.files("shared.journeys").joinpath("templates/roles.yaml").read_text("utf-8")
    return {role: tuple(names) for role, names in yaml.safe_load(text).items()}


def bound(place: Place | None) -> Roles:
    """The known roles under a definition's own `roles:`: a list replaces a role's names, `also:` adds to them."""
    roles = dict(known())
    for role, names in ((place and place.entries()) or {}).items():
        if isinstance(names.value, Mapping):
            fields = names.fields("also") or {}
            roles[role] = roles.get(role, ()) + (_names(fields["also"]) if "also" in fields else ())
        else:
            roles[role] = _names(names)
    return roles


def _names(place: Place) -> tuple[str, ...]:
    return tuple(name for member in place.one_or_more("event names") or [] if (name := member.text()))
