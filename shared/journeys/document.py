"""A definition's YAML text as plain values, with the place of each. Only what a marketer writes is understood."""

import re
from typing import Any

import yaml

from shared.journeys.reading import DefinitionError, Mark, Problem, Reading, Steps, spelt

#: Far more than any definition needs; what is larger is a mistake or an attack.
LONGEST, DEEPEST = 100_000, 40

_INTEGER = re.compile(r"[-+]?[0-9]{1,15}", re.ASCII)
_DECIMAL = re.compile(r"[-+]?[0-9]{1,15}\.[0-9]{1,15}(e[-+]?[0-9]{1,2})?", re.ASCII)
#: An escape such as `\ud83d` by itself is no text that could be sent or printed.
_HALF = re.compile(r"[\ud800-\udfff]")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


class _Loader(yaml.SafeLoader):
    """Gives every plain word as a text (`on`, `yes`, `12:30`), and no aliases."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, Any]]] = {}  # noqa: RUF012 — PyYAML declares it so
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        mark = _mark(self.peek_event().start_mark)  # type: ignore[no-untyped-call]  # the stubs leave it so
        if self.check_event(yaml.AliasEvent):
            message, remedy = "an alias (*) is not understood", "write out what it stands for"
            raise DefinitionError([Problem("", message, remedy, *mark)])
        self.depth += 1
        if self.depth > DEEPEST:
            message, remedy = "it nests too deeply", "write it with fewer levels, or split the journey"
            raise DefinitionError([Problem("", message, remedy, *mark)])
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def read(text: str) -> tuple[Any, Reading]:
    """The values of a YAML text, and a reading that knows their places; raises DefinitionError if it is not YAML."""
    if len(text) > LONGEST:
        raise DefinitionError([Problem("", f"the text is longer than {LONGEST:,} characters", "split the journey")])
    try:
        node = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = _mark(error.problem_mark) if error.problem_mark else Mark()
        message = f"this is not YAML: {error.problem or error.context}"
        raise DefinitionError([Problem("", message, "check the indentation, colons and quotes", *mark)]) from error
    except yaml.YAMLError as error:
        raise DefinitionError([Problem("", f"this is not YAML: {error}", "save it as plain UTF-8 text")]) from error
    reading = Reading({})
    return _value(node, (), reading), reading


def _value(node: yaml.Node | None, steps: Steps, reading: Reading) -> Any:
    if node is None:
        return None
    reading.marks.setdefault(steps, _mark(node.start_mark))
    if isinstance(node, yaml.SequenceNode):
        return [_value(member, (*steps, number), reading) for number, member in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            mark = _mark(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                remedy = "write it as a text, in quotes if need be"
                reading.problems.append(Problem(spelt(steps), "a key is not a text", remedy, *mark))
                continue
            key = _whole(key_node.value, steps, mark, reading)
            if key in mapping:
                message = f"the key {key!r} stands twice"
                reading.problems.append(Problem(spelt(steps), message, "keep one of them", *mark))
                continue
            reading.marks[(*steps, key)] = mark
            mapping[key] = _value(value_node, (*steps, key), reading)
        return mapping
    return _scalar(node, steps, reading)


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _scalar(node: yaml.Node, steps: Steps, reading: Reading) -> Any:
    text: str = node.value
    if node.tag != "tag:yaml.org,2002:str":
        message = f"the tag {node.tag} is not understood"
        reading.problems.append(Problem(spelt(steps), message, "leave it out", *reading.marks[steps]))
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return _whole(text, steps, reading.marks[steps], reading)
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _whole(text: str, steps: Steps, mark: Mark, reading: Reading) -> str:
    """A text without halves of characters."""
    if not _HALF.search(text):
        return text
    remedy = "write the character itself instead of its escapes"
    reading.problems.append(Problem(spelt(steps), "half of a character is not a text", remedy, *mark))
    return _HALF.sub("\N{REPLACEMENT CHARACTER}", text)
