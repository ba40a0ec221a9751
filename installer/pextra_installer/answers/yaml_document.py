"""YAML 1.2 with lines, by ruamel.yaml: duplicate keys are errors, ``no`` is a text.

Anchors and aliases are errors too. Answers need none, and with them ``*x`` is not the text that it
looks like, and a few lines can stand for gigabytes.
"""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    NodeEvent,
)

from pextra_installer.answers.document import Document, unreadable
from pextra_installer.problems import Path

MAX_DEPTH = 32


def parse_yaml(text: str, source: str) -> Document:
    """Read a document.

    Raises:
        AnswersError: It is not one YAML document of plain data.
    """
    try:
        _check_events(text, source)
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
    return Document(_plain(loaded, (), lines), lines)


def _check_events(text: str, source: str) -> None:
    """Refuse anchors, aliases and deep nesting, before anything is made of the text."""
    depth = 0
    for event in YAML(typ="rt", pure=True).parse(text):
        line = event.start_mark.line + 1
        if isinstance(event, AliasEvent):
            hint = f'If it is a text, put it in quotes: "*{event.anchor}"'
            raise unreadable(source, f"*{event.anchor} is an alias of YAML", line, hint)
        if isinstance(event, NodeEvent) and event.anchor is not None:
            hint = f'If it is a text, put it in quotes: "&{event.anchor} ..."'
            raise unreadable(source, f"&{event.anchor} is an anchor of YAML", line, hint)
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise unreadable(source, "it is nested too deeply", line, None)


def _plain(value: Any, path: Path, lines: dict[Path, int]) -> object:
    """Plain Python data of ruamel's classes, noting lines on the way."""
    if isinstance(value, CommentedMap):
        data: dict[str, object] = {}
        for key, item in value.items():
            here = (*path, str(key))
            place = value.lc.data.get(key) if value.lc.data else None
            if place is not None:
                lines[here] = place[0] + 1
            data[str(key)] = _plain(item, here, lines)
        return data
    if isinstance(value, CommentedSeq):
        entries: list[object] = []
        for position, item in enumerate(value):
            place = value.lc.data.get(position) if value.lc.data else None
            if place is not None:
                lines[(*path, position)] = place[0] + 1
            entries.append(_plain(item, (*path, position), lines))
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
