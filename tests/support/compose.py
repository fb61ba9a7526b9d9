"""docker-compose.yml and deploy/Dockerfile, read as a container engine reads them."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

from tests.support.processes import ROOT

FILE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy/Dockerfile"
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


class Instruction(NamedTuple):
    """One instruction of a Dockerfile: `RUN`, and what follows it on one line."""

    name: str
    text: str


def compose(variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The compose file with its anchors merged and its variables filled in: from `variables`, else their defaults."""
    given = variables or {}

    def filled(part: Any) -> Any:
        if isinstance(part, str):
            return VARIABLE.sub(lambda match: given.get(match[1]) or match[2], part)
        if isinstance(part, list):
            return [filled(one) for one in part]
        return {key: filled(one) for key, one in part.items()} if isinstance(part, dict) else part

    content: dict[str, Any] = filled(yaml.safe_load(FILE.read_text()))
    return content


def variables() -> set[str]:
    """The variables that the compose file takes from its environment."""
    return {match[1] for match in VARIABLE.finditer(FILE.read_text())}


def dockerfile() -> list[Instruction]:
    """The image's recipe."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Instruction(name, text.strip()) for name, _, text in (line.partition(" ") for line in joined.splitlines())]


def image_environment() -> dict[str, str]:
    """The variables that the finished image sets."""
    recipe = dockerfile()
    last_stage = max(number for number, instruction in enumerate(recipe) if instruction.name == "FROM")
    words = [word for name, text in recipe[last_stage:] if name == "ENV" for word in text.split()]
    return dict(word.split("=", 1) for word in words)
