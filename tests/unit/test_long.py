"""The long run of the properties tells the seed, and how to repeat what failed."""

from pathlib import Path

import pytest

from tests.properties.long import PROPERTIES, ROOT, main

PROPERTY = """
from hypothesis import given, strategies as st

@given(st.integers())
def test_{name}(number):
    assert number < {limit}
"""


@pytest.mark.parametrize(("limit", "code"), [("float('inf')", 0), ("1000", 1)])
def test_a_round(tmp_path: Path, capfd: pytest.CaptureFixture[str], limit: str, code: int) -> None:
    """One round tells its seed; where a property fails the run ends with the command that repeats the round."""
    file = tmp_path / "test_numbers.py"
    file.write_text(PROPERTY.format(name="numbers", limit=limit))
    assert main(["--minutes", "0", "--seed", "7", "--only", str(file)]) == code
    told = capfd.readouterr().out
    assert "Seed 7" in told
    assert (f"Again: python -m tests.properties.long --minutes 0 --seed 7 --only {file}" in told) is bool(code)


def test_every_property_is_there() -> None:
    """The files that a run goes through exist."""
    assert [file for file in PROPERTIES if not (ROOT / file).is_file()] == []
