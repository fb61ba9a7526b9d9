"""What can be known of the deployment without a container engine."""

import json
import re
import shlex
import shutil
import sys
from importlib.resources import files
from pathlib import Path

import click
import jsonschema
import pytest

from services.cli import main
from shared.settings import PREFIX, Settings
from tests.support.compose import DOCKERFILE, compose, dockerfile, image_environment
from tests.support.processes import ROOT, run

SERVICES = compose()["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
PROGRAMS = Path(sys.executable).parent


def commands() -> list[str]:
    """The commands of `milepost`."""
    assert isinstance(main, click.Group)
    return main.list_commands(click.Context(main))


def copied() -> list[str]:
    """What the image takes from the tree, as the Dockerfile names it."""
    lines = [text.split() for name, text in dockerfile() if name == "COPY" and not text.startswith("--from")]
    return [source for *sources, _ in lines for source in sources]


def test_the_compose_file_is_one() -> None:
    """docker-compose.yml satisfies the Compose Specification's schema."""
    schema = files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json"
    jsonschema.validate(compose(), json.loads(schema.read_text()))


def test_the_dockerfile_lints() -> None:
    """hadolint finds nothing in the Dockerfile."""
    run(PROGRAMS / "hadolint", DOCKERFILE)


def test_images_are_pinned() -> None:
    """Every image that is not built here is named with a version."""
    bases = {text.split()[0] for name, text in dockerfile() if name == "FROM"}
    images = {service["image"] for name, service in SERVICES.items() if name not in OURS}
    for image in bases | images:
        assert re.fullmatch(r"[a-z/]+:v?\d+[\w.-]*", image), image


def test_the_broker_is_the_one_that_is_tested() -> None:
    """The compose file's Kafka is the version that the tests start."""
    pom = (ROOT / "tests/support/kafka-dist/pom.xml").read_text()
    tested = re.search(r"<artifactId>kafka_[\d.]+</artifactId>\s*<version>([\d.]+)</version>", pom)
    assert tested is not None
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{tested[1]}"


def test_the_image_is_this_version() -> None:
    """The image is tagged with the project's version."""
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert {service["image"] for service in OURS.values()} == {f"milepost:{version[1]}"}


def test_the_image_does_not_run_as_root() -> None:
    """The last USER of the Dockerfile is a number that is not root's."""
    users = [text for name, text in dockerfile() if name == "USER"]
    assert int(users[-1]) > 0


def test_the_image_takes_what_is_there() -> None:
    """Everything that the Dockerfile copies exists and is let in by .dockerignore."""
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    for source in copied():
        assert (ROOT / source).exists(), source
        assert f"!{source}" in let_in, source


def test_the_commands_exist() -> None:
    """The image's own command and each service's are commands of milepost."""
    (entry,) = (json.loads(text) for name, text in dockerfile() if name == "ENTRYPOINT")
    (default,) = (json.loads(text) for name, text in dockerfile() if name == "CMD")
    assert entry == ["milepost"]
    for command in (default, *(service["command"] for service in OURS.values())):
        assert command[0] in commands()


def test_the_settings_exist() -> None:
    """Every MILEPOST_ variable of the image and the compose file is a setting with a value that it takes."""
    for service in OURS.values():
        ours = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in {**image_environment(), **service["environment"]}.items()
            if name.startswith(PREFIX)
        }
        assert set(ours) <= set(Settings.model_fields)
        Settings(_env_file=None, **ours)


def test_services_wait_for_what_can_become_ready() -> None:
    """Every service that another waits for has a healthcheck, or is the one that ends."""
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            check = SERVICES[other].get("healthcheck", {})
            ends = how["condition"] == "service_completed_successfully"
            assert check.get("disable", False) is ends, f"{name} waits for {other}"
            assert ends or check["test"][0] == "CMD", f"{name} waits for {other}"


@pytest.mark.timeout(300)
def test_the_image_holds_the_whole_program(tmp_path: Path) -> None:
    """The Dockerfile's last install, done on a copy of its sources, brings every file of the services and of shared."""
    source, site = tmp_path / "source", tmp_path / "site"
    source.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    for name in copied():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, source)
    install = [text for name, text in dockerfile() if name == "RUN" and text.startswith("pip install")][-1]
    run(sys.executable, "-m", *shlex.split(install), "--target", site, cwd=source, within=240)
    for package in ("services", "shared"):
        sources = {path.relative_to(source) for path in (source / package).rglob("*") if path.is_file()}
        installed = {path.relative_to(site) for path in (site / package).rglob("*") if path.is_file()}
        assert {path for path in installed if "__pycache__" not in path.parts} == sources
    assert "milepost up" in run(site / "bin/milepost", "--help", cwd=site, env={"PYTHONPATH": str(site)})
