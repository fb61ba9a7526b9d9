"""Durations as a definition writes them."""

import pytest

from shared.events import DAY, SECOND
from shared.journeys import duration


@pytest.mark.parametrize(
    ("written", "found"),
    [("90s", 90 * SECOND), ("15m", 900 * SECOND), ("12h", DAY // 2), ("30d", 30 * DAY), ("4w", 28 * DAY)],
)
def test_parse(written: str, found: int) -> None:
    """A number and a letter are a duration in microseconds."""
    assert duration.parse(written) == found


@pytest.mark.parametrize(
    "written", ["", "30", "d", "30 d", "1.5d", "-1d", "0d", "30D", "1y", "1M", "\u06f3d", "9" * 12 + "w"]
)
def test_no_duration(written: str) -> None:
    """Anything else, nothing at all and more than a hundred years are none."""
    assert duration.parse(written) is None
