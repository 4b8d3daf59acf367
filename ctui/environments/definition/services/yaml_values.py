"""YAML as plain values: tables, lists and texts, with bounds against what grows by aliases.

Nothing is constructed: the parser's nodes are read as they are, and each scalar stays the text that
it is, so that a version or a port is what its author wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ctui.errors import InvalidInput
from ctui.text import one_line

if TYPE_CHECKING:
    import yaml

_VALUES = 20_000
"""Values of a file with all aliases put in."""
_DEPTH = 40
_MERGE = "<<"
_NULL = "tag:yaml.org,2002:null"
_MAP, _SEQUENCE = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"


def read_yaml(text: str, file: str) -> dict[str, Any]:
    """Return the table that a file of YAML has; a scalar is a text, or None for null.

    Raises:
        InvalidInput: with the line that is wrong, or what it would grow to.
    """
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{file}:{mark.line + 1}" if mark else file
        raise InvalidInput(f"{where}: {one_line(error.problem or 'is no YAML')}") from error
    except yaml.YAMLError as error:
        raise InvalidInput(f"{file}: is no YAML: {one_line(str(error))}") from error
    except RecursionError as error:
        raise _too_deep(file) from error
    found = _Reader(file).value(node, 0) if node is not None else {}
    if not isinstance(found, dict):
        raise InvalidInput(f"{file}: is no table", hint="a compose file has `services:`")
    return found


class _Reader:
    """Reads nodes as long as they are not too many."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._left = _VALUES

    def value(self, node: yaml.Node, depth: int) -> Any:
        import yaml

        self._left -= 1
        if self._left < 0:
            raise InvalidInput(
                f"{self._file}: has more than {_VALUES} values with its aliases put in",
                hint="write less, or fewer aliases",
            )
        if depth > _DEPTH:
            raise _too_deep(self._file)
        if isinstance(node, yaml.ScalarNode):
            return None if node.tag == _NULL else str(node.value)
        if node.tag not in {_MAP, _SEQUENCE}:
            raise self._wrong(node, f"{one_line(node.tag, 40)} is no plain value")
        if isinstance(node, yaml.SequenceNode):
            return [self.value(one, depth + 1) for one in node.value]
        return self._table(node, depth)

    def _table(self, node: yaml.Node, depth: int) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, inner in node.value:
            name = self.value(key, depth + 1)
            if not isinstance(name, str):
                raise self._wrong(key, "a key is no text")
            value = self.value(inner, depth + 1)
            if name == _MERGE and key.style is None:
                tables = value if isinstance(value, list) else [value]
                if not all(isinstance(one, dict) for one in tables):
                    raise self._wrong(inner, "what is merged is no table")
                for one in tables:
                    merged = {**one, **merged}
            elif name in own:
                raise self._wrong(key, f"{one_line(name)} is there twice")
            else:
                own[name] = value
        return {**merged, **own}

    def _wrong(self, node: yaml.Node, what: str) -> InvalidInput:
        return InvalidInput(f"{self._file}:{node.start_mark.line + 1}: {what}", hint="mend it")


def _too_deep(file: str) -> InvalidInput:
    return InvalidInput(f"{file}: is too deeply nested", hint="nest it less")
