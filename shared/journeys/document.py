"""A definition's YAML text as plain values, with the line of each. Only what a marketer writes is understood."""

import re
from typing import Any

import yaml

from shared.journeys.reading import DefinitionError, Problem, Reading, Steps, spelt

#: Far more than any definition needs; what is larger is a mistake or an attack.
LONGEST, DEEPEST = 100_000, 40

_WHOLE = re.compile(r"[-+]?[0-9]{1,15}", re.ASCII)
_DECIMAL = re.compile(r"[-+]?[0-9]{1,15}\.[0-9]{1,15}(e[-+]?[0-9]{1,2})?", re.ASCII)
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


class _Loader(yaml.SafeLoader):
    """Gives every plain word as a text (`on`, `yes`, `12:30`), and no aliases."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, Any]]] = {}  # noqa: RUF012 — PyYAML declares it so
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        start = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # the stubs leave it so
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="an alias (*) is not understood", problem_mark=start)
        self.depth += 1
        if self.depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem="it nests too deeply", problem_mark=start)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def read(text: str) -> tuple[Any, Reading]:
    """The values of a YAML text, and a reading that knows their lines; raises DefinitionError if it is not YAML."""
    if len(text) > LONGEST:
        raise DefinitionError([Problem("", f"the text is longer than {LONGEST:,} characters", "split the journey")])
    try:
        node = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else None
        message = f"this is not YAML: {error.problem or error.context}"
        raise DefinitionError([Problem("", message, "check the indentation, colons and quotes", line)]) from error
    except yaml.YAMLError as error:
        raise DefinitionError([Problem("", f"this is not YAML: {error}", "save it as plain UTF-8 text")]) from error
    reading = Reading({})
    return _value(node, (), reading), reading


def _value(node: yaml.Node | None, steps: Steps, reading: Reading) -> Any:
    if node is None:
        return None
    reading.lines.setdefault(steps, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(member, (*steps, number), reading) for number, member in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str) or key in mapping:
                message = f"the key {key!r} stands twice" if isinstance(key, str) else "a key is not a text"
                reading.problems.append(Problem(spelt(steps), message, "keep one of them", line))
                continue
            reading.lines[(*steps, key)] = line
            mapping[key] = _value(value_node, (*steps, key), reading)
        return mapping
    return _scalar(node, steps, reading)


def _scalar(node: yaml.Node, steps: Steps, reading: Reading) -> Any:
    text: str = node.value
    if node.tag != "tag:yaml.org,2002:str":
        problem = Problem(spelt(steps), f"the tag {node.tag} is not understood", "leave it out", reading.lines[steps])
        reading.problems.append(problem)
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
