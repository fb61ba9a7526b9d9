"""Ids that name nobody: an empty variable, a role or a field's name where a person's id was meant."""

from collections.abc import Iterable, Iterator
from importlib.resources import files

import yaml


def never_ids(more: str = "") -> frozenset[str]:
    """Every text that is no id, as it may be written; `more` are those of the settings, with commas between them.

    One look-up decides, as this is asked of every id of every event.
    """
    groups: dict[str, list[str]] = yaml.safe_load(files(__package__).joinpath("never.yaml").read_text("utf-8"))
    texts = [text for group in groups.values() for text in group]
    return frozenset(_written([*texts, *(text for one in more.split(",") if (text := one.strip()))]))


def _written(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for variant in {text, text.lower(), text.upper(), text.capitalize()}:
            yield from (variant, f'"{variant}"', f"'{variant}'")
