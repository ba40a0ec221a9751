"""Answer files on disk."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Sequence
from enum import StrEnum

from pextra_installer import check
from pextra_installer.answers.document import Document, unreadable
from pextra_installer.answers.toml_document import dump_toml, parse_toml
from pextra_installer.answers.yaml_document import dump_yaml, parse_yaml
from pextra_installer.plan import Plan
from pextra_installer.problems import AnswersError

MAX_BYTES = 1 << 16
"""No answer file needs a tenth of it; reading a larger one takes a slow machine minutes."""


class Format(StrEnum):
    """How an answer file is written."""

    YAML = "yaml"
    TOML = "toml"


_SUFFIXES = {".yaml": Format.YAML, ".yml": Format.YAML, ".toml": Format.TOML}
NAMES = ("answers.yaml", "answers.yml", "answers.toml")
"""What an answer file is called on a volume or medium, in the order in which it is looked for."""


def format_of(name: str) -> Format:
    """The format that a file's name tells.

    Raises:
        AnswersError: It tells none.
    """
    suffix = pathlib.PurePosixPath(name).suffix.lower()
    if suffix not in _SUFFIXES:
        hint = "Call it .yaml, .yml or .toml"
        raise unreadable(name, "its name does not tell the format", None, hint)
    return _SUFFIXES[suffix]


def parse(data: bytes, format: Format, source: str, *checks: check.Check) -> Plan:
    """The plan of an answer file's contents, which also passes these checks.

    Raises:
        AnswersError: With every problem and its line.
    """
    if len(data) > MAX_BYTES:
        raise unreadable(source, f"it is larger than {MAX_BYTES} bytes", None, None)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise unreadable(source, "it is not UTF-8", line, "Save it as UTF-8") from None
    document = (parse_yaml if format is Format.YAML else parse_toml)(text, source)
    return _plan(document, source, checks)


def _plan(document: Document, source: str, checks: Sequence[check.Check]) -> Plan:
    if not isinstance(document.data, dict):
        hint = "Begin with: version: 1"
        raise unreadable(source, "there are no keys in it", 1, hint)
    try:
        return check.plan_of(document.data, source, *checks)
    except AnswersError as error:
        located = [
            dataclasses.replace(problem, line=document.line_of(problem.path))
            for problem in error.problems
        ]
    raise AnswersError(sorted(located, key=lambda problem: problem.line or 0), source)


def read(path: pathlib.Path, *checks: check.Check) -> Plan:
    """The plan of an answer file, which also passes these checks.

    Raises:
        AnswersError: With every problem and its line; or the file cannot be read, or its name
            tells no format.
    """
    format = format_of(path.name)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise unreadable(str(path), f"it cannot be read: {error.strerror}", None, None) from None
    return parse(data, format, str(path), *checks)


def render(plan: Plan, format: Format) -> str:
    """An answer file that reads back as the same plan."""
    data = check.data_of(plan)
    body = dump_yaml(data) if format is Format.YAML else dump_toml(data)
    return f"# Answers of pextra-installer; keep this file to yourself, it holds secrets.\n{body}"


def write(plan: Plan, path: pathlib.Path) -> None:
    """Write an answer file, whole or not at all, for root's eyes only."""
    text = render(plan, format_of(path.name))
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(
        os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
