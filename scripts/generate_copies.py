"""Copy the few files of the engine and the mirror that the collection needs where neither is.

That is what works on a bare machine (``preflight_info``), on a mirror server (``aptly_*``), and on
a controller that reads the store (the inventory). Without arguments it writes; with --check it
only says which files are not as they would be, and ends with 1 where there are some.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "ansible_collections/pextra/ce/plugins/module_utils/bare"
PACKAGE = "ansible_collections.pextra.ce.plugins.module_utils.bare"
PACKAGES = {"pextra": "", "pextra_mirror": "mirror"}
"""The packages that files are copied from; the folder that each is in, here and among copies."""
ROOTS = (
    "pextra.host.preflight.checks",
    "pextra.host.preflight.machine",
    "pextra.model.errors",
    "pextra.model.request",
    "pextra.model.units",
    "pextra.store.connection",
    "pextra_mirror.aptly",
)
"""What is used; the rest is what these import."""
_IMPORT = re.compile(rf"\bfrom ({'|'.join(PACKAGES)})\b(?=[\w.]* import\b)")
_GUARD = '''\
# Made by `make generate`.
"""Copies of what is needed where neither the engine nor the mirror's program is."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils import python

python.check()
'''
_HEAD = "# Copied from {source} by `make generate`: change it there.\n"


def path_of(module: str) -> Path | None:
    """The file of a module or package; None where the name is something in one."""
    base = ROOT / PACKAGES[module.partition(".")[0]] / module.replace(".", "/")
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def imported(path: Path) -> set[str]:
    """The modules of these packages that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in PACKAGES:
            for name in (f"{node.module}.{item.name}" for item in node.names):
                found.add(name if path_of(name) else str(node.module))
    return found


def closure() -> set[Path]:
    """Every file that is copied, packages' own among them."""
    files: set[Path] = set()
    left = list(ROOTS)
    while left:
        module = left.pop()
        path = path_of(module)
        if path is None or path in files:
            continue
        files.add(path)
        left += imported(path)
        parts = module.split(".")
        left += [".".join(parts[:count]) for count in range(2, len(parts))]
    return files


def copies() -> dict[Path, str]:
    """The texts of all files of the folder of copies."""
    found = {TARGET / "__init__.py": _GUARD}
    for path in closure():
        text = _IMPORT.sub(lambda line: f"from {copy_of(line[1])}", path.read_text())
        head = _HEAD.format(source=path.relative_to(ROOT))
        found[copied_to(path)] = head + text if text else ""
    folders = {path.parent for path in found}
    return {folder / "__init__.py": "" for folder in folders} | found


def copy_of(package: str) -> str:
    """What the copy of a package is imported as."""
    return ".".join(item for item in (PACKAGE, PACKAGES[package]) if item)


def copied_to(path: Path) -> Path:
    """Where a file's copy is."""
    for package, folder in PACKAGES.items():
        root = ROOT / folder / package
        if path.is_relative_to(root):
            return TARGET / folder / path.relative_to(root)
    raise ValueError(path)


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    check = parser.parse_args().check
    wanted = copies()
    there = {path: path.read_text() for path in TARGET.rglob("*.py")}
    stale = sorted(path for path in {*wanted, *there} if wanted.get(path) != there.get(path))
    for path in stale:
        if not check and path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path])
        elif not check:
            path.unlink()
        print(f"{path.relative_to(ROOT)}: {'is stale; run make generate' if check else 'done'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
