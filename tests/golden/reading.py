"""How the golden files write YAML, instants and touchpoints; whatever is mistyped is a `MistypedError`."""

import re
from datetime import UTC, datetime
from typing import Any

import yaml

UNITS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
TERM = re.compile(r"([+-])([0-9]+)(us|ms|s|m|h|d|w)")
TYPES = ("track", "page", "screen", "identify", "group", "alias", "placement")
SEEN = {"agent", "country", "region", "city"}
FLAGS = ("guarded", "excluded", "retracted")
PARTS = ("properties", "context", "seen")
TOUCHPOINT_KEYS = {"at", "id", "recorded", "user", "anonymous", "journey", "traits", *PARTS, *FLAGS, *TYPES}


class MistypedError(Exception):
    """A golden file says something that the loader does not know."""


class GoldenYaml(yaml.SafeLoader):
    """YAML in which only true and false are booleans, no scalar is a date, and no key stands twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012  PyYAML's own attribute, copied instead of changed
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":timestamp"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping, refused when a key stands twice."""
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            raise MistypedError(f"a key stands twice{node.start_mark}")
        return mapping


GoldenYaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def parse(text: str) -> Any:
    """What a golden file holds."""
    return yaml.load(text, Loader=GoldenYaml)


def keys(given: object, required: set[str], optional: set[str], where: str) -> dict[str, Any]:
    """`given`, if it is a mapping with these keys; otherwise MistypedError."""
    if not isinstance(given, dict):
        raise MistypedError(f"{where} is not a mapping: {given!r}")
    if unknown := given.keys() - required - optional:
        raise MistypedError(f"{where} has unknown keys {sorted(map(str, unknown))}")
    if missing := required - given.keys():
        raise MistypedError(f"{where} lacks {sorted(missing)}")
    return given


def instant(written: object, base: int) -> int:
    """Microseconds of an ISO time with a zone, or of an offset from the base such as `+30d-1us`."""
    if not isinstance(written, str):
        raise MistypedError(f"{written!r} is not an instant")
    if re.fullmatch(f"(?:{TERM.pattern})+", written):
        terms = TERM.findall(written)
        return base + sum(int(sign + amount) * UNITS[unit] for sign, amount, unit in terms)
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as refusal:
        raise MistypedError(f"{written!r} is not an instant") from refusal
    if moment.tzinfo is None:
        raise MistypedError(f"{written!r} has no time zone")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def touchpoint(written: object, base: int, default_user: str | None) -> dict[str, Any]:
    """One touchpoint from its compact form.

    The key that names its type holds its name (track, page, screen), its traits (identify, group), its
    previous id (alias) or its stage (placement, in the `journey`). `seen` is what the door saw, `guarded`
    whether it came with a browser key (rule 42), `retracted` whether its statement was taken back (rule 58).
    `recorded` is the corrected time unless given. Without `user` and `anonymous` it is the default user's; where
    there is none, it is MistypedError.
    """
    given = keys(written, {"at", "id"}, TOUCHPOINT_KEYS, f"touchpoint {written!r}")
    types = [key for key in TYPES if key in given]
    if len(types) != 1 or not isinstance(given["id"], str):
        raise MistypedError(f"touchpoint {written!r} needs one type and an id that is text")
    (type_,) = types
    value = given[type_]
    carries_traits = type_ in ("identify", "group")
    if carries_traits is not isinstance(value, dict) or (carries_traits and "traits" in given):
        raise MistypedError(f"touchpoint {written!r}: traits belong to identify and group, names to the others")
    if ("journey" in given) is not (type_ == "placement"):
        raise MistypedError(f"touchpoint {written!r}: a placement has a journey, and nothing else has")
    if "user" not in given and "anonymous" not in given and default_user is None:
        raise MistypedError(f"touchpoint {written!r} is nobody's")
    keys(given.get("seen", {}), set(), SEEN, f"what was seen of touchpoint {given['id']!r}")
    t = instant(given["at"], base)
    return {
        "id": given["id"],
        "type": type_,
        "name": value if type_ in ("track", "page", "screen") else None,
        "t": t,
        "recorded": instant(given["recorded"], base) if "recorded" in given else t,
        "user": given.get("user", None if "anonymous" in given else default_user),
        "anonymous": given.get("anonymous"),
        "previous": value if type_ == "alias" else None,
        **{flag: given.get(flag, False) for flag in FLAGS},
        "journey": given.get("journey"),
        "stage": value if type_ == "placement" else None,
        **{part: given.get(part, {}) for part in PARTS},
        "traits": value if carries_traits else given.get("traits", {}),
    }
