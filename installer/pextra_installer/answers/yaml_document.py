"""YAML 1.2 with lines, by ruamel.yaml: duplicate keys are errors, ``no`` is a text."""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pextra_installer.answers.document import Document, unreadable
from pextra_installer.problems import Path

MAX_DEPTH = 32


def parse_yaml(text: str, source: str) -> Document:
    """Read a document.

    Raises:
        AnswersError: It is not one YAML document of plain data.
    """
    try:
        loaded = YAML(typ="rt", pure=True).load(text)
    except DuplicateKeyError as error:
        mark = error.problem_mark
        key = str(error.problem or "").split('"')
        name = key[1] if len(key) > 1 else "a key"
        raise unreadable(
            source, f"{name} is given twice", mark.line + 1 if mark else None, "Remove one"
        ) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context or "it cannot be read"
        line = mark.line + 1 if mark else None
        raise unreadable(source, f"this is not YAML: {reason}", line, None) from None
    except (YAMLError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else "it cannot be read"
        raise unreadable(source, f"this is not YAML: {reason}", None, None) from None
    lines: dict[Path, int] = {(): 1}
    return Document(_plain(loaded, (), lines, source), lines)


def _plain(value: Any, path: Path, lines: dict[Path, int], source: str) -> object:
    """Plain Python data of ruamel's classes, noting lines on the way."""
    if len(path) > MAX_DEPTH:
        raise unreadable(source, "it is nested too deeply, or refers to itself", None, None)
    if isinstance(value, CommentedMap):
        data: dict[str, object] = {}
        for key, item in value.items():
            here = (*path, str(key))
            place = value.lc.data.get(key) if value.lc.data else None
            if place is not None:
                lines[here] = place[0] + 1
            data[str(key)] = _plain(item, here, lines, source)
        return data
    if isinstance(value, CommentedSeq):
        entries: list[object] = []
        for position, item in enumerate(value):
            place = value.lc.data.get(position) if value.lc.data else None
            if place is not None:
                lines[(*path, position)] = place[0] + 1
            entries.append(_plain(item, (*path, position), lines, source))
        return entries
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return str(value) if type(value).__module__.startswith("ruamel") else value


def dump_yaml(data: dict[str, Any]) -> str:
    """Data as YAML, in their own order."""
    writer = YAML()
    writer.default_flow_style = False
    writer.width = 4096
    writer.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    writer.dump(data, stream)
    return stream.getvalue()
