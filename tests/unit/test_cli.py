"""The command line: it can be read, and whoever uses it wrongly is told what to do, in a sentence."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from services.cli import COMMANDS, main
from shared.journeys import templates

YAML = "journey: shop\nstages:\n  - {stage: visitor, enter: {touchpoint: {type: page}}}\n"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the commands take for theirs, and that is not there yet."""
    monkeypatch.setenv("MILEPOST_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def milepost(*arguments: str | Path, code: int = 0) -> Result:
    """Runs a command in this process; it must end with this exit code, and by no error that nobody foresaw."""
    result = CliRunner().invoke(main, [*map(str, arguments)], prog_name="milepost")
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does(name: str) -> None:
    """Each command has a line in the list of commands, and help that says more than its usage."""
    assert COMMANDS[name][1] in milepost("--help").output
    told = milepost(name, "--help").output
    assert told.startswith(f"Usage: milepost {name}")
    assert len(told.split("Options:")[0].split()) > 12


def test_setup_again_changes_nothing(data: Path) -> None:
    """Setup makes log, store and journey; a second one leaves one version of one journey."""
    for _ in range(2):
        assert "Ready" in milepost("setup").output
    assert data.stat().st_mode & 0o777 == 0o700
    (line,) = milepost("journeys", "list").output.splitlines()[1:]
    assert line.split()[:2] == ["lifecycle", "1"]


@pytest.mark.parametrize("arguments", [("keys", "list"), ("check",), ("tail",), ("journeys", "list")], ids=" ".join)
def test_a_folder_that_is_not_there(arguments: tuple[str, ...], data: Path) -> None:
    """What needs a store names the remedy where there is none, and makes nothing."""
    error = milepost(*arguments, code=1).stderr
    assert "milepost setup" in error
    assert len(error.splitlines()) == 1
    assert not data.exists()


@pytest.mark.parametrize("service", ["ingest", "stager", "metrics"])
def test_a_service_alone_needs_servers(service: str) -> None:
    """A service of its own works over Kafka and PostgreSQL, and says which settings name them."""
    error = milepost(service, code=1).stderr
    assert "MILEPOST_KAFKA" in error
    assert "MILEPOST_DATABASE" in error


def test_wrong_settings_are_all_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any command ends with all faults of the settings; `settings` still shows them all."""
    monkeypatch.setenv("MILEPOST_PARTITIONS", "0")
    monkeypatch.setenv("MILEPOST_BACH", "9")
    for command in ("up", "check", "settings"):
        error = milepost(command, code=1).stderr
        assert "MILEPOST_PARTITIONS=0" in error
        assert "Did you mean MILEPOST_BATCH?" in error
    assert "MILEPOST_PORT" in milepost("settings", code=1).stdout


def test_a_journey_is_added(tmp_path: Path) -> None:
    """A journey's file makes a version, the same file no other, a changed one the next."""
    milepost("setup")
    file = tmp_path / "shop.yaml"
    for text, version in ((YAML, 1), (YAML, 1), (YAML + "description: new\n", 2)):
        file.write_text(text)
        assert f"shop version {version}" in milepost("journeys", "add", file).output
    assert "visitor" in milepost("journeys", "list").output


@pytest.mark.parametrize("name", templates.names())
def test_a_template_is_added(name: str, tmp_path: Path) -> None:
    """A template that the list names is added by its name; its YAML, saved and added, is the same journey."""
    assert re.search(f"^{name} ", milepost("journeys", "templates").output, re.MULTILINE)
    milepost("setup")
    assert f"{name} version 1 is in force" in milepost("journeys", "add", "--template", name).output
    assert re.search(f"^{name} ", milepost("journeys", "list").output, re.MULTILINE)
    file = tmp_path / "saved.yaml"
    file.write_text(milepost("journeys", "templates", name).output)
    assert f"{name} version 1 is in force" in milepost("journeys", "add", file).output


def test_no_such_template(tmp_path: Path) -> None:
    """Another name is answered with those there are; a file and a template at once, or neither, are refused."""
    for arguments in (("templates", "vlaue"), ("add", "--template", "vlaue")):
        assert "there are b2b, classic" in milepost("journeys", *arguments, code=1).stderr
    (tmp_path / "shop.yaml").write_text(YAML)
    for given in ((), (tmp_path / "shop.yaml", "--template", "value")):
        assert "one of them" in milepost("journeys", "add", *given, code=2).stderr


def test_a_journey_with_problems(tmp_path: Path) -> None:
    """All problems of a definition are told with their lines, and nothing is added."""
    milepost("setup")
    file = tmp_path / "shop.yaml"
    file.write_text(YAML.replace("touchpoint", "touchpiont").replace("journey:", "journy:"))
    error = milepost("journeys", "add", file, code=1).stderr
    assert "did you mean touchpoint?" in error
    assert "did you mean journey?" in error
    assert "shop" not in milepost("journeys", "list").output


def test_another_number_of_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log with another number of partitions than the settings say is refused with the remedy."""
    milepost("setup")
    monkeypatch.setenv("MILEPOST_PARTITIONS", "9")
    assert "MILEPOST_PARTITIONS" in milepost("check", code=1).stderr


def test_errors_that_nobody_foresaw_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no fault of whoever runs the command keeps its traceback."""

    def broken(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("services.commands.setup.COMMANDS", {"setup": click.Command("setup", callback=broken)})
    with pytest.raises(ZeroDivisionError):
        CliRunner().invoke(main, ["setup"], catch_exceptions=False)
