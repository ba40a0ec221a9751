"""TOML with lines, by tomlkit."""

from __future__ import annotations

import re
from typing import Any

import tomlkit
from tomlkit.container import Container
from tomlkit.exceptions import ParseError, TOMLKitError
from tomlkit.items import AoT, Item, Table

from pextra_installer.answers.document import Document, unreadable
from pextra_installer.problems import Path

_MARK = re.compile(r"#\x7fmark (\d+)$")


def parse_toml(text: str, source: str) -> Document:
    """Read a document.

    Raises:
        AnswersError: It is not TOML.
    """
    try:
        document = tomlkit.parse(text)
    except ParseError as error:
        reason = str(error).rpartition(" at line ")[0] or str(error)
        raise unreadable(source, f"this is not TOML: {reason}", error.line, None) from None
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise unreadable(source, f"this is not TOML: {error}", None, None) from None
    data = document.unwrap()
    return Document(data, _lines(document))


def _lines(document: tomlkit.TOMLDocument) -> dict[Path, int]:
    """The line of each key: every one is marked in its comment, and the marks are looked up.

    tomlkit keeps a file's layout but not where in it things are; what it writes back has the
    same lines as what it read. Inside a value on one line, the line is the whole value's.
    """
    marked: list[tuple[Path, int]] = []
    _mark(document, (), marked)
    lines: dict[Path, int] = {(): 1}
    for number, line in enumerate(tomlkit.dumps(document).split("\n"), start=1):
        found = _MARK.search(line)
        if found:
            path, height = marked[int(found.group(1))]
            lines[path] = number - height
    return lines


def _mark(container: Any, path: Path, marked: list[tuple[Path, int]]) -> None:
    for key in range(len(container)) if isinstance(container, AoT) else list(container):
        here = (*path, key)
        item = _item(container, key)
        if not isinstance(item, Item):
            _mark(item, here, marked)
            continue
        if isinstance(item, Table | AoT):
            _mark(item, here, marked)
        if isinstance(item, AoT) or (isinstance(item, Table) and item.is_super_table()):
            continue
        height = 0 if isinstance(item, Table) else item.as_string().count("\n")
        item.trivia.comment_ws, item.trivia.comment = " ", f"#\x7fmark {len(marked)}"
        marked.append((here, height))


def _item(container: Any, key: str | int) -> Any:
    """The item of a key; a plain lookup makes Python's own ``bool`` of a boolean.

    It is no item where a table's parts lie in different places of the file.
    """
    within = container.value if isinstance(container, Table) else container
    return within.item(str(key)) if isinstance(within, Container) else within[key]


def dump_toml(data: dict[str, Any]) -> str:
    """Data as TOML, in their own order."""
    return tomlkit.dumps(data)
