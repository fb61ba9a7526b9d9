"""Where an address is, by a GeoIP file in MaxMind's format."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import maxminddb

from shared.settings import BadSettings

#: How many addresses are remembered.
REMEMBERED = 10_000


class Place(NamedTuple):
    """A country (IR), a region (IR-23, or its name) and a city's name in English; None where it is not known."""

    country: str | None = None
    region: str | None = None
    city: str | None = None


Finder = Callable[[str], Place]


def finder(path: Path) -> Finder:
    """Finds places in a file, which stays open as long as this is used. Raises BadSettings."""
    try:
        reader = maxminddb.open_database(path)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        raise BadSettings(
            [
                f"MILEPOST_GEOIP={path}: it cannot be read ({error}). "
                "Name a file in MaxMind's format, such as GeoLite2-City.mmdb, or unset it."
            ]
        ) from None

    @lru_cache(REMEMBERED)
    def find(ip: str) -> Place:
        try:
            found = reader.get(ip.strip())
        except (ValueError, maxminddb.InvalidDatabaseError):
            return Place()
        return place(found) if isinstance(found, dict) else Place()

    return find


def place(found: dict[str, Any]) -> Place:
    """The place in an entry of the file, of MaxMind's shape or of the flat one that others have."""
    country = _text(found, "country", "iso_code") or _text(found, "country_code") or _text(found, "country")
    regions = found.get("subdivisions")
    first = regions[0] if isinstance(regions, list) and regions and isinstance(regions[0], dict) else {}
    code, name = _text(first, "iso_code"), _text(first, "names", "en") or _text(found, "region")
    region = f"{country}-{code}" if country and code else name
    return Place(country, region, _text(found, "city", "names", "en") or _text(found, "city"))


def _text(found: Any, *path: str) -> str | None:
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found[:200] if isinstance(found, str) and found else None
