"""Reading a file of tables, so that every fault in it is told at once, with its file, its line and a remedy."""

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches

import yaml

from shared.touch.rows import Row, Test
from shared.touch.text import fold

#: What a row may ask for beside a path into one of PARTS.
KEYS = ("type", "name", "role", "channel", "category", "source", "medium", "campaign", "path", "referrer")
PARTS = ("properties", "context", "traits")


class TablesError(ValueError):
    """Tables that cannot be used; `faults` says of each fault where it is and what would be right."""

    def __init__(self, faults: Collection[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = list(faults)


class Place:
    """One value of a file, where it stands. What finds a fault here notes it and goes on."""

    def __init__(self, node: yaml.Node, path: str, file: str, faults: list[str]) -> None:
        self.node, self.path, self.file, self.faults = node, path, file, faults

    @classmethod
    def of(cls, text: str, file: str, faults: list[str]) -> "Place | None":
        """The whole of a file; None if it is empty or is not YAML."""
        try:
            node = yaml.compose(text, yaml.CSafeLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f"{file}:{mark.line + 1}" if mark is not None else file
            problem = getattr(error, "problem", None) or "it cannot be read"
            faults.append(f"{line}: this is not YAML ({problem}). Put texts with : # [ or {{ in quotes.")
            return None
        return None if node is None else cls(node, "", file, faults)

    def fault(self, message: str, remedy: str) -> None:
        """Notes what is wrong here."""
        where = f"{self.file}:{self.node.start_mark.line + 1}"
        self.faults.append(f"{where}: {self.path + ': ' if self.path else ''}{message}. {remedy}")

    def entries(self) -> "Iterator[tuple[str, Place]]":
        """The keys of a mapping with their values."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fault("this is not a mapping", "Write it as keys and values.")
            return
        seen = set[str]()
        for key, value in self.node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            path = f"{self.path}.{name}" if self.path else name
            if not name:
                Place(key, self.path, self.file, self.faults).fault("a key is not a text", "Write a text as the key.")
            elif name in seen:
                Place(key, path, self.file, self.faults).fault("it stands here twice", "Put both into one.")
            else:
                seen.add(name)
                yield name, Place(value, path, self.file, self.faults)

    def members(self) -> "Iterator[Place]":
        """The members of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.fault("this is not a list", "Write it as a list.")
            return
        for number, node in enumerate(self.node.value, 1):
            yield Place(node, f"{self.path}[{number}]", self.file, self.faults)

    def text(self) -> str | None:
        """A text; a number or a date counts as it is written."""
        if (
            isinstance(self.node, yaml.ScalarNode)
            and self.node.value
            and not self.node.tag.endswith((":bool", ":null"))
        ):
            return str(self.node.value)
        self.fault("this is not a text", "Write one, in quotes if it is a word like yes, no or null.")
        return None

    def texts(self) -> list[str]:
        """The texts of a list."""
        return [text for member in self.members() if (text := member.text()) is not None]

    def choice(self, name: str, known: Collection[str], what: str) -> bool:
        """Whether a name is one of those known; if not, notes it."""
        if name not in known:
            near = get_close_matches(name, known, 1)
            self.fault(
                f"there is no {what} {name!r}",
                f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}.",
            )
        return name in known

    def pattern(self, text: str) -> re.Pattern[str] | None:
        """The regular expression that a text is."""
        try:
            return re.compile(text, re.IGNORECASE)
        except re.error as error:
            self.fault(f"{text!r} is not a regular expression ({error})", "Correct it, or escape its characters.")
            return None

    def row(self, named: str, values: Collection[str] = ()) -> Row | None:
        """A row of a table whose values stand under `named`; `values` are all that there may be, if that is so."""
        value, tests = None, list[Test]()
        for key, place in self.entries():
            if key == named:
                value = place.text()
                if value is not None and values:
                    place.choice(value, values, named)
            elif (key.partition(".")[0] in PARTS and "." in key) or place.choice(key, (named, *KEYS), "key"):
                tests.append(place._test(key))
        if value is None:
            self.fault(f"the row has no {named}", f"Add one: {named}: …")
            return None
        return Row(value, tuple(tests))

    def _test(self, key: str) -> Test:
        nodes = self.node.value if isinstance(self.node, yaml.SequenceNode) else [self.node]
        texts, patterns = set[str](), list[re.Pattern[str]]()
        if len(nodes) == 1 and nodes[0].tag.endswith(":bool") and nodes[0].value.lower() in ("true", "yes", "on"):
            return Test(key, frozenset(), ())
        if not nodes:
            self.fault("the list is empty", "Name what is asked for, or write true for anything at all.")
        for node in nodes:
            place = Place(node, self.path, self.file, self.faults)
            if (text := place.text()) is None:
                continue
            if len(text) > 1 and text.startswith("/") and text.endswith("/"):
                if (pattern := place.pattern(text[1:-1])) is not None:
                    patterns.append(pattern)
            else:
                texts.add(fold(text))
        return Test(key, frozenset(texts), tuple(patterns))
