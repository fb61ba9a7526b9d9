"""A small GeoIP file, of the shape of MaxMind's city files."""

from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

#: Network → entry. Documentation networks, so that no address is anybody's.
PLACES: dict[str, dict[str, Any]] = {
    "203.0.113.0/24": {
        "country": {"iso_code": "IR", "names": {"en": "Iran"}},
        "subdivisions": [{"iso_code": "23", "names": {"en": "Tehran"}}],
        "city": {"names": {"en": "Tehran", "fa": "تهران"}},
    },
    "198.51.100.0/24": {"country": {"iso_code": "SA"}},
    "192.0.2.0/24": {"country_code": "AE", "region": "Dubai", "city": "Dubai"},
    "2001:db8::/32": {"country": {"iso_code": "EG"}, "subdivisions": [{"names": {"en": "Cairo"}}]},
}


def geoip_file(path: Path) -> Path:
    """Writes the file."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-City")
    for network, entry in PLACES.items():
        writer.insert_network(IPSet([network]), entry)
    writer.to_db_file(str(path))
    return path
