"""A page of settings in YAML -> its keys and values, read without YAML's surprises."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import yaml

from cxkit.errors import UsageError

MOST_BYTES = 1_000_000


class _Loader(yaml.SafeLoader):
    """YAML's safe loader without its surprises: `no` is a text, 0123 keeps its zero, dates stay as they are."""

    yaml_implicit_resolvers: ClassVar = {
        first: [
            (tag, rule) for tag, rule in rules if tag.rsplit(":", 1)[1] not in ("bool", "int", "timestamp", "merge")
        ]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile("^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))


def read_yaml(path: Path, *, begins: str) -> dict:
    """The file's keys and values. `begins` tells, where it holds none, what such a file begins with.

    Raises UsageError on anything but plain, small, readable YAML: no tags, no aliases, no key twice.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path} holds over {MOST_BYTES // 1_000_000} MB; it is to be a page of settings.")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}; it is to begin with {begins}.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        node = yaml.compose(text, Loader=_Loader)
        _check_nodes(node, path)
        data = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise UsageError(
            f"{path}{place}: {problem}. {path.name} is plain YAML: keys, texts, numbers, lists; no tags."
        ) from None
    except (RecursionError, ValueError) as error:
        raise UsageError(f"{path}: {error or 'nested too deep'}. {path.name} is plain YAML.") from None
    if not isinstance(data, dict):
        raise UsageError(f"{path} holds no settings; it begins with {begins}.")
    return data


def key_lines(path: Path) -> dict[str, int]:
    """Where each key of a file that `read_yaml` takes stands: dotted key (of a list's parts: their number) -> line."""
    root = yaml.compose(Path(path).read_text(encoding="utf-8-sig"), Loader=_Loader)
    lines: dict[str, int] = {}
    todo = [("", root)]
    while todo:
        place, node = todo.pop()
        if isinstance(node, yaml.MappingNode):
            parts = [(str(key.value), key.start_mark.line + 1, value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            parts = [(str(i), value.start_mark.line + 1, value) for i, value in enumerate(node.value)]
        else:
            continue
        for name, line, value in parts:
            key = f"{place}.{name}" if place else name
            lines[key] = line
            todo.append((key, value))
    return lines


def at_line(fault: str, lines: Mapping[str, int]) -> str:
    """A fault that names a key, with the line where that key (or what it belongs under) stands before it."""
    for key in re.findall(r"[A-Za-z_]\w*(?:\.[^\s.:,;]+)*", fault):
        while key not in lines and "." in key:
            key = key.rpartition(".")[0]
        if key in lines:
            return f"line {lines[key]}: {fault}"
    return fault


def lines_told(message: str, lines: Mapping[str, int]) -> str:
    """A message that names keys `tables.… in client.yml`, with the line of each that stands there."""
    keys = "|".join(re.escape(key) for key in sorted(lines, key=len, reverse=True) if "." in key)
    if not keys:
        return message
    told = re.compile(rf"(?<![\w.])({keys})((?:: \S+)? in client\.yml)(?!, line)")
    return told.sub(lambda found: f"{found[1]}{found[2]}, line {lines[found[1]]}", message)


def _check_nodes(node: yaml.Node | None, path: Path) -> None:
    """Refuses aliases (they can blow a page up into gigabytes) and keys given twice (YAML keeps the last)."""
    seen: set[int] = set()
    todo = [node] if node is not None else []
    while todo:
        node = todo.pop()
        line = node.start_mark.line + 1
        if id(node) in seen:
            raise UsageError(f"{path}, line {line}: aliases (&name, *name) are not read; write the value out.")
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            twice = next((k for k in keys if keys.count(k) > 1), None) if len(keys) < 10_000 else None
            if twice is not None:
                raise UsageError(f"{path}, line {line}: the key {twice!r} stands there twice; keep one.")
            todo += [n for pair in node.value for n in pair]
        elif isinstance(node, yaml.SequenceNode):
            todo += node.value
