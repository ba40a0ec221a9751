"""Write the collection's modules from the engine: a kind's and its list's as a whole, and of the
others the argument spec and body, below documentation that is written by hand. And the types of the
kinds' rows, and the page of all actions.

Without arguments it writes; with --check it only says which files are not as they would be, and
ends with 1 where there are some.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from pextra.calls import registry
from pextra.calls.call import Procedure
from pextra.kinds.registry import KINDS, MANIFEST_KINDS
from pextra.model.fields import Field
from scripts import action_docs, module_docs, row_types

MODULES = Path(__file__).parents[1] / "ansible_collections/pextra/ce/plugins/modules"
ROWS = Path(__file__).parents[1] / "pextra/model/rows.py"
INVENTORY = MODULES.parent / "plugin_utils/inventory_queries.py"
ACTIONS = MODULES.parents[1] / "docs/actions.md"
LEFT_OUT = {
    "node": {"organization_id", "time", "hardware"},
    "instance": {"chipset", "cdrom", "rootfs", "rootfs_archive", "restored_from"},
}
"""What is shown of a kind and is no variable of the inventory: Ansible's time grows with each."""
DATABASE = {"type": "str", "no_log": True}
_MARK = "# From here on generated from the engine's fields: make generate\n"
_HEAD = '''\
#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/{kind}: make generate
"""{short}."""

from __future__ import annotations

DOCUMENTATION = r"""
{documentation}"""

EXAMPLES = r"""
{examples}
"""

RETURN = r"""
{returned}"""

'''
_BODY = '''\
from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {spec}


def main() -> None:
    """Run the module."""
    run("{name}", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
'''


def argument_spec(procedure: Procedure) -> dict[str, Any]:
    """The argument spec of a procedure's module."""
    spec = _options(procedure.fields, nested=False)
    return {**spec, "database": DATABASE} if procedure.uses_store else spec


def _options(fields: Iterable[Field], *, nested: bool) -> dict[str, Any]:
    return {field.name: _option(field, nested=nested) for field in fields}


def _option(field: Field, *, nested: bool) -> dict[str, Any]:
    """One option; what an element of a list gets by default is the engine's."""
    spec: dict[str, Any] = {"type": field.type}
    if field.required:
        spec["required"] = True
    elif field.default is not None and not nested:
        spec["default"] = field.default
    if field.choices:
        spec["choices"] = list(field.choices)
    if field.elements:
        spec["elements"] = field.elements
    if field.options:
        spec["options"] = _options(field.options, nested=True)
    if field.secret:
        spec["no_log"] = True
    elif re.search("password|passphrase|secret|token|key", field.name):
        spec["no_log"] = False
    return spec


def body(procedure: Procedure) -> str:
    """What follows a module's documentation, formatted as the linters want it."""
    return formatted(_BODY.format(spec=repr(argument_spec(procedure)), name=procedure.name))


def formatted(text: str) -> str:
    """Python as the linters want it."""
    ruff = Path(sys.executable).with_name("ruff")
    return subprocess.run(
        [ruff, "format", "--stdin-filename", MODULES / "module.py", "-"],
        input=text, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def module_text(procedure: Procedure, current: str) -> str:
    """The module's text as it is to be."""
    kind = procedure.name.removesuffix("_info")
    if kind in MANIFEST_KINDS:
        write = module_docs.module if kind == procedure.name else module_docs.info
        return head(kind, *write(kind)) + body(procedure)
    begin = re.compile(r"^(?:# From here on generated|import |from (?!__future__))", re.MULTILINE)
    return begin.split(current, maxsplit=1)[0] + _MARK + body(procedure)


def head(kind: str, documentation: dict[str, Any], examples: str, returned: dict[str, Any]) -> str:
    """What stands above a generated module's code."""
    return _HEAD.format(
        kind=kind,
        short=documentation["short_description"],
        documentation=as_yaml(documentation),
        examples=examples.strip("\n"),
        returned=as_yaml(returned),
    )


_INVENTORY = '''\
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds: make generate
"""What the inventory reads of nodes and instances."""

from __future__ import annotations

NODES = """
{nodes}"""
INSTANCES = """
{instances}"""
'''


class _Writer(yaml.SafeDumper):
    """YAML as yamllint wants it."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists stand further in than what they belong to."""
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """What is the same in two places is written twice."""
        return True


def as_yaml(value: dict[str, Any]) -> str:
    """A dictionary as YAML, in its order, in lines of at most 100 characters.

    PyYAML breaks a line after the word that goes beyond the width.
    """
    texts = (
        yaml.dump(value, Dumper=_Writer, sort_keys=False, width=width, allow_unicode=True)
        for width in range(98, 20, -2)
    )
    return next(text for text in texts if max(map(len, text.splitlines())) <= 100)


def inventory_text() -> str:
    """The queries of the inventory, which reads the store where there is no engine."""
    return _INVENTORY.format(nodes=_query("node"), instances=_query("instance"))


def _query(kind: str) -> str:
    """What the inventory reads of a kind: a line of the columns that are shown, and the rest."""
    spec = KINDS[kind].spec
    columns = (name for name in spec.shown if name not in LEFT_OUT[kind])
    lines = textwrap.wrap(", ".join(columns), 88, break_long_words=False)
    return "\n".join(
        ["    SELECT", *(f"        {line}" for line in lines), f"    FROM {spec.table}"]
    )


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    check = parser.parse_args().check
    texts = {
        INVENTORY: inventory_text(),
        ROWS: formatted(row_types.text()),
        ACTIONS: action_docs.text(),
    }
    for procedure in map(registry.find, registry.names()):
        if procedure.module:
            path = MODULES / f"{procedure.name}.py"
            texts[path] = module_text(procedure, _current(path))
    stale = [path for path, text in texts.items() if text != _current(path)]
    for path in stale:
        if not check:
            path.write_text(texts[path])
    for name in (path.name for path in stale):
        print(f"{name}: {'is stale; run make generate' if check else 'written'}")
    return 1 if check and stale else 0


def _current(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main())
