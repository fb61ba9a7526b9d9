"""Which language a browser asks for."""

import re
from collections.abc import Sequence

from shared.journeys.model import Title

_CHOICE = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")

DEFAULT = "en"


def ranked(accept: str | None) -> list[str]:
    """The languages of an Accept-Language header by preference and without regions; the unreadable are left out."""
    weights: dict[str, float] = {}
    for choice in (accept or "")[:1000].split(","):
        if (found := _CHOICE.fullmatch(choice)) is not None:
            weights.setdefault(found[1].lower(), float(found[2] or 1))
    return sorted((language for language, weight in weights.items() if weight > 0), key=lambda one: -weights[one])


def preferred(accept: str | None, spoken: Sequence[str]) -> str:
    """The one of `spoken` that is preferred, English if none is."""
    return next((language for language in ranked(accept) if language in spoken), DEFAULT)


def titled(title: Title, accept: str | None) -> str:
    """The title in the most preferred language that it is written in."""
    return next((title.texts[language] for language in ranked(accept) if language in title.texts), title.text(DEFAULT))
