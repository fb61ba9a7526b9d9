"""The real parts a test needs: skipped with a reason where one is missing, required in CI."""

import os
from typing import TypeVar

import pytest

T = TypeVar("T")


def required() -> bool:
    """Whether a missing part fails the run (CI=true or REQUIRE_ALL_PARTS=1) rather than skips the test."""
    return os.environ.get("CI") == "true" or os.environ.get("REQUIRE_ALL_PARTS") == "1"


def need(part: str, found: T | None, remedy: str) -> T:
    """Return `found`, or end the test if it is None or false.

    `part` is the name a person would search for, `remedy` what to install.
    """
    if found:
        return found
    reason = f"{part} is missing: {remedy}"
    if required():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
