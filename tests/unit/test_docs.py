"""What the documents name is there."""

import re
import subprocess
from pathlib import Path

import click
import pytest

from services.cli import main
from services.stager.marking import NAME
from shared.settings import PREFIX, Settings
from shared.telemetry import CATALOG
from tests.support.compose import variables
from tests.support.processes import ROOT

DOCUMENTS = sorted(
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
)
CODE = "\n".join(path.read_text() for top in ("services", "shared") for path in sorted((ROOT / top).rglob("*.py")))
README = ROOT / "README.md"
documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def anchors(document: Path) -> set[str]:
    """What a link may name after the #: the headings as GitHub spells them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@documents
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link names a file of the tree and, after a #, one of its headings."""
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@documents
def test_paths_exist(document: Path) -> None:
    """Every path of the tree that stands in code type is there."""
    tops = {path.name for path in ROOT.iterdir()}
    for word in re.findall(r"`([\w.-]+/[\w./-]*|[\w-]+\.(?:yml|toml|svg))`", document.read_text()):
        if word.split("/")[0] in tops or "/" not in word:
            assert (ROOT / word).exists(), word


@documents
def test_names_exist(document: Path) -> None:
    """Every `Class.method` in code type is in the code."""
    for owner, name in re.findall(r"`([A-Z]\w+)\.(\w+)`", document.read_text()):
        assert re.search(rf"^class {owner}\b.*?^    (?:async )?def {name}\(", CODE, re.MULTILINE | re.DOTALL), name


@documents
def test_commands_exist(document: Path) -> None:
    """Every `milepost …` and `make …` in code type is a command."""
    assert isinstance(main, click.Group)
    text = "\n".join(re.findall(r"`[^`]+`|^```\w*\n.*?^```", document.read_text(), re.MULTILINE | re.DOTALL))
    for name in re.findall(r"(?<![\w/-])(?:\.venv/bin/)?milepost ([a-z]+(?:-[a-z]+)*)", text):
        assert name in main.list_commands(click.Context(main)), name
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for name in re.findall(r"(?<![\w-])make ([a-z]+)", text):
        assert name in targets, name


@documents
def test_settings_and_metrics_exist(document: Path) -> None:
    """Every MILEPOST_ variable is a setting, or one of the compose file's; every milepost_ name is a metric, or
    the parameter of the link for staff."""
    text = document.read_text()
    settings = {PREFIX + field.upper() for field in Settings.model_fields} | {"MILEPOST_SETTINGS_FILE"}
    assert set(re.findall(r"\bMILEPOST_[A-Z_]*[A-Z]", text)) <= settings | variables()
    assert set(re.findall(r"\bmilepost_[a-z_]+", text)) <= {metric.name for metric in CATALOG} | {NAME}


def test_the_readme_tells_where_to_add() -> None:
    """Every row of the README's table ends with a test that is there."""
    table = README.read_text().partition("## Where do I add…")[2].partition("\n\n##")[0]
    rows = [line for line in table.splitlines() if line.startswith("| a")]
    assert len(rows) >= 7
    for row in rows:
        (test,) = re.findall(r"`(tests/[\w/]+\.py)` \|$", row)
        assert (ROOT / test).is_file(), row


def test_decisions_are_listed() -> None:
    """The index of documents names every decision record by its own title and number."""
    index = (ROOT / "docs/README.md").read_text()
    for record in sorted((ROOT / "docs/decisions").glob("*.md")):
        number, title = re.findall(r"^# (\d+)\. (.+)$", record.read_text(), re.MULTILINE)[0]
        assert int(number) == int(record.name[:4])
        assert f"\n{number}. [{title}](decisions/{record.name})" in index


def test_production_knows_every_setting() -> None:
    """The table of settings in deploy/README.md has a row for each setting, with its default and meaning."""
    rows = re.findall(
        r"^\| `MILEPOST_(\w+)` \| (.*) \| (.*) \|$", (ROOT / "deploy/README.md").read_text(), re.MULTILINE
    )
    assert [row[0].lower() for row in rows] == list(Settings.model_fields)
    for name, default, meaning in rows:
        field = Settings.model_fields[name.lower()]
        told = field.default.get_secret_value() if hasattr(field.default, "get_secret_value") else str(field.default)
        assert default == (f"`{told}`" if told else ""), name
        assert meaning == field.description, name


def test_production_knows_every_variable_of_the_compose_file() -> None:
    """deploy/README.md names each variable that docker-compose.yml reads."""
    text = (ROOT / "deploy/README.md").read_text()
    assert {name for name in variables() if f"`{name}`" not in text} == set()
