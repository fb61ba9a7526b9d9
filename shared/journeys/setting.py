"""What a journey is read in: two projects may read one definition differently."""

from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.touch.tables import Tables
from shared.touch.told import Teller


class Setting(NamedTuple):
    """The time zone of the project's days, and what tells by its tables what touchpoints are."""

    zone: ZoneInfo
    teller: Teller


def nowhere() -> Setting:
    """UTC and no tables, for what does not depend on them."""
    return Setting(ZoneInfo("UTC"), Teller(Tables()))
