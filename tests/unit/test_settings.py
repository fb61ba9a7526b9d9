"""The settings: where a value comes from, and what is said about wrong ones."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.settings import BadSettings, InForce, Settings, in_force, load, masked

SetVariables = Callable[..., None]


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> SetVariables:
    """`variables(PORT="1")` sets MILEPOST_PORT in an environment without any other setting."""
    for name in [name for name in os.environ if name.startswith("MILEPOST_")]:
        monkeypatch.delenv(name)

    def set_variables(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"MILEPOST_{name}", value)

    return set_variables


def shown(name: str, **given: object) -> InForce:
    """What `milepost settings` shows of one setting."""
    return next(row for row in in_force(**given) if row.name == name)


def faults(**given: object) -> list[str]:
    """The faults of what is set now."""
    with pytest.raises(BadSettings) as raised:
        load(**given)
    assert all(fault in str(raised.value) for fault in raised.value.faults)
    return raised.value.faults


def test_defaults(variables: SetVariables) -> None:
    """Nothing has to be set."""
    assert load() == Settings(_env_file=None)
    assert shown("MILEPOST_PORT")[:3] == ("MILEPOST_PORT", "8000", "default")


def test_precedence(variables: SetVariables, tmp_path: Path) -> None:
    """The command line wins over the environment, that over the file, and the file over the default."""
    file = tmp_path / "milepost.env"
    file.write_text("MILEPOST_PORT=1\nMILEPOST_BATCH=1\nMILEPOST_LEASE=1\nPOSTGRES_PASSWORD=not ours\n")
    variables(SETTINGS_FILE=str(file), PORT="2", BATCH="2")
    settings = load(port=3, host=None)
    assert (settings.port, settings.batch, settings.lease, settings.host) == (3, 2, 1, "127.0.0.1")
    origins = {row.name: row.origin for row in in_force(port=3, host=None)}
    assert origins["MILEPOST_PORT"] == "command line"
    assert origins["MILEPOST_BATCH"] == "environment"
    assert origins["MILEPOST_LEASE"] == f"file {file}"
    assert origins["MILEPOST_HOST"] == "default"


def test_every_fault_at_once(variables: SetVariables) -> None:
    """All wrong settings are listed together, each with its variable, its value and what it should be."""
    variables(PORT="99999", BATCH="many", KAFKA="nowhere", TIME_ZONE="Asia/Tehrn", LOG_LEVEL="loud")
    told = faults()
    assert len(told) == 5
    assert any("MILEPOST_PORT=99999 (environment): must be less than or equal to 65535" in one for one in told)
    assert any("MILEPOST_BATCH=many" in one and "integer" in one for one in told)
    assert any("MILEPOST_KAFKA=nowhere" in one and "kafka-1:9092" in one for one in told)
    assert any("did you mean Asia/Tehran?" in one for one in told)
    assert any("MILEPOST_LOG_LEVEL=loud" in one and "'info'" in one for one in told)


def test_unknown_names(variables: SetVariables) -> None:
    """A MILEPOST_ variable that is no setting is a fault, with the name that was probably meant."""
    variables(PROT="8001", XYZZY="1")
    near, far = faults()
    assert "MILEPOST_PROT" in near
    assert "Did you mean MILEPOST_PORT?" in near
    assert "Did you mean" not in far
    assert "milepost settings" in far


def test_faults_name_the_file(variables: SetVariables, tmp_path: Path) -> None:
    """A fault in the settings file names the file; a file that is not there is a fault itself."""
    file = tmp_path / "milepost.env"
    variables(SETTINGS_FILE=str(file))
    (missing,) = faults()
    assert "there is no such file" in missing
    file.write_text("MILEPOST_PARTITIONS=0\nMILEPOST_KAFK=a:1\n")
    unknown, low = faults()
    assert f"MILEPOST_KAFK (file {file})" in unknown
    assert f"MILEPOST_PARTITIONS=0 (file {file})" in low


def test_an_empty_value_is_not_given(variables: SetVariables) -> None:
    """A variable set to nothing leaves the default, as compose files do with unset ones."""
    variables(PORT="", KAFKA="")
    assert load().port == 8000
    assert shown("MILEPOST_PORT").origin == "default"


def test_passwords_are_masked(variables: SetVariables) -> None:
    """A password is shown nowhere: not in the table, not in a fault, not in the settings' own text."""
    variables(DATABASE="postgresql://milepost:se/cr@et@db:5432/milepost")
    assert shown("MILEPOST_DATABASE").value == "postgresql://milepost:***@db:5432/milepost"
    assert "cr@et" not in repr(load())
    variables(DATABASE="mysql://milepost:se/cr@et@db/milepost")
    (fault,) = faults()
    assert "mysql://milepost:***@db/milepost" in fault
    assert masked("postgresql://db/x") == "postgresql://db/x"
