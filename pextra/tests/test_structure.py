# SPDX-License-Identifier: Apache-2.0
"""How the engine is built: imports go downwards, nothing is imported in a circle, no Ansible."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ForwardRef, get_args

import pytest

from pextra.engine.kind import AnyKind
from pextra.kinds.registry import KINDS
from pextra.model import kinds

ROOT = Path(__file__).parents[2]
COLLECTION = "ansible_collections/pextra/ce"
FLOORS = (
    "cli",
    "calls",
    "backup",
    "kinds",
    "engine",
    "access",
    "licensing",
    "host",
    "store",
    "model",
)
"""The packages from the top down: what is in one imports from itself and from those below."""
FILES = sorted(
    path for path in (ROOT / "pextra").rglob("*.py") if "tests" not in path.relative_to(ROOT).parts
)


def name_of(path: Path) -> str:
    """The module that a file is."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in FILES}


def imports(path: Path) -> Iterator[str]:
    """Everything that a file imports, also within functions and for types only."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            for item in node.names:
                inner = f"{node.module}.{item.name}"
                yield inner if inner in MODULES else str(node.module)


def floor_of(module: str) -> int:
    """Where a module of the engine is, counted from the top."""
    return FLOORS.index(module.split(".")[1])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards_and_know_neither_ansible_nor_http(path: Path) -> None:
    for module in imports(path):
        assert module.split(".")[0] not in ("ansible", "ansible_collections", "aiohttp")
        if module.startswith("pextra.") and path.parent != ROOT / "pextra":
            assert floor_of(module) >= floor_of(name_of(path)), module


def test_nothing_is_imported_in_a_circle() -> None:
    """Raises CycleError with the circle."""
    graph = {
        name: {module for module in imports(path) if module in MODULES and module != name}
        for name, path in MODULES.items()
    }
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(MODULES)


def signatures(path: Path) -> Iterator[tuple[str, list[str]]]:
    """The public functions of a file, and the types that each takes and returns."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            taken = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            types = [*(item.annotation for item in taken), node.returns]
            yield node.name, [ast.unparse(item) for item in types if item is not None]


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.relative_to(ROOT).parts[1] in ("backup", "kinds", "engine")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_rows_are_records_and_no_dictionaries_of_anything(path: Path) -> None:
    for name, types in signatures(path):
        wrong = [item for item in types if re.search(r"(dict|Mapping)\[str, Any\]", item)]
        assert not wrong, name


def test_kinds_take_rows_as_what_they_are() -> None:
    """Only what some columns are, which a kind returns, may be anything."""
    for path in FILES:
        if path.relative_to(ROOT).parts[1] == "kinds":
            for name, types in signatures(path):
                given_rows = ("learned", "powered", "failed", "encrypted")
                taken = types[:-1] if name in given_rows else types
                assert not [item for item in taken if re.search(r"\bRow\b", item)], (path, name)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_name_of_a_kind_says_what_its_row_is(kind: AnyKind) -> None:
    row = f"{type(kind).__name__}Row"
    names = ast.parse(Path(kinds.__file__).read_text()).body
    types = {
        ast.unparse(item.target): ast.unparse(item.annotation)
        for item in names
        if isinstance(item, ast.AnnAssign)
    }
    constant = kind.spec.name.upper()
    assert getattr(kinds, constant) == kind.spec.name
    assert types[constant] == f"KindName[rows.{row}]"
    (base,) = type(kind).__orig_bases__
    assert get_args(base)[0] == ForwardRef(row)


def test_the_types_of_rows_are_not_loaded_when_the_engine_runs() -> None:
    code = "import sys, pextra.calls.resource; sys.exit('pextra.model.rows' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_what_decides_on_access_is_loaded_only_by_who_needs_it() -> None:
    names = {"access.rules", "access.index", "licensing.token", "host.web", "kinds.rights"}
    loaded = "{name.removeprefix('pextra.') for name in sys.modules}"
    code = f"import sys, pextra.calls.resource; sys.exit(bool({names} & {loaded}))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_every_package_has_a_floor() -> None:
    there = {path.parent.name for path in (ROOT / "pextra").glob("*/__init__.py")} - {"tests"}
    assert there == set(FLOORS)


def test_the_map_in_contributing_is_the_tree() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    shown, above = list[str](), ""
    for line in re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[0].splitlines():
        name = line.split()[0].rstrip("/")
        above = above if line.startswith(" ") else name
        shown.append(f"{above}/{name}" if line.startswith(" ") else name)
    assert [name for name in shown if not (ROOT / name).is_dir()] == []
    packages = [name.removeprefix("pextra/") for name in shown if name.startswith("pextra/")]
    assert packages == [*FLOORS, "tests"]
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    folders = {path.split("/")[0] for path in tracked if "/" in path}
    plugins = {path.split("/")[4] for path in tracked if path.startswith(f"{COLLECTION}/plugins/")}
    assert {name for name in folders if not name.startswith(".")} <= {
        name.split("/")[0] for name in shown
    }
    assert {f"{COLLECTION}/plugins/{name}" for name in plugins} <= set(shown)
