"""The journeys that come with Milepost. A new one is a YAML file here."""

from importlib import resources

from shared.journeys import definition

_NO_JOURNEYS = ("roles.yaml",)


def names() -> list[str]:
    """The templates there are."""
    files = [file.name for file in resources.files(__name__).iterdir()]
    return sorted(file.removesuffix(".yaml") for file in files if file.endswith(".yaml") and file not in _NO_JOURNEYS)


def text(name: str) -> str:
    """A template's YAML, to edit or to store; raises KeyError if there is none of this name."""
    if name not in names():
        raise KeyError(name)
    return resources.files(__name__).joinpath(f"{name}.yaml").read_text("utf-8")


def load(name: str) -> definition.Definition:
    """A template as a definition; raises KeyError if there is none of this name."""
    return definition.load(text(name))
