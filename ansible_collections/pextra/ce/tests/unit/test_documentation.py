# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules' documentation says, held against the kinds' field tables and the store.

Modules of kinds are generated (scripts/generate_modules.py); what they came to is looked at here.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import functools
import importlib
import itertools
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from pextra.access import rules
from pextra.calls import apply as manifest
from pextra.calls import database
from pextra.calls import resource as module
from pextra.engine.world import World
from pextra.host.machine import Host
from pextra.kinds.registry import KINDS, MANIFEST_KINDS
from pextra.model.errors import InputError
from pextra.model.fields import Change, Field
from pextra.tests.rows import Rows
from pextra.tests.tables import columns_of
from scripts import module_docs

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/access.md"
PLUGINS = "ansible_collections.pextra.ce.plugins"
STATE_MODULES = (*MANIFEST_KINDS, "apply", "cockroach_license", "database", "instance_backup")
INFO_MODULES = tuple(f"{kind}_info" for kind in MANIFEST_KINDS)
MODULES = (*STATE_MODULES, *INFO_MODULES, "cockroach_license_info", "database_info")


@functools.cache
def documents(name: str) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """A module's DOCUMENTATION with its fragments, EXAMPLES and RETURN."""
    found = importlib.import_module(f"{PLUGINS}.modules.{name}")
    documentation = yaml.safe_load(found.DOCUMENTATION)
    options: dict[str, Any] = {}
    for reference in documentation.get("extends_documentation_fragment", []):
        _namespace, _collection, fragment, *section = reference.split(".")
        source = importlib.import_module(f"{PLUGINS}.doc_fragments.{fragment}").ModuleDocFragment
        text = getattr(source, section[0].upper() if section else "DOCUMENTATION")
        options |= yaml.safe_load(text).get("options") or {}
    documentation["options"] = options | documentation.get("options", {})
    return documentation, yaml.safe_load(found.EXAMPLES), yaml.safe_load(found.RETURN)


def text_of(option: Mapping[str, Any]) -> str:
    """An option's description as one line."""
    lines = option["description"]
    return " ".join(lines if isinstance(lines, list) else [lines])


def flat(fields: Iterable[Field], options: Mapping[str, Any], path: str = "") -> Iterator[Any]:
    """Every field with its documentation, those within dictionaries and lists too."""
    for field in fields:
        where = f"{path}{field.name}"
        assert field.name in options, f"{where} is not documented"
        yield where, field, options[field.name]
        if field.options:
            yield from flat(field.options, options[field.name]["suboptions"], f"{where}.")


def compare(spec: Mapping[str, Any], options: Mapping[str, Any], path: str = "") -> None:
    """Fail where names, types, choices, defaults or elements differ."""
    assert set(spec) == set(options), f"options of {path or 'the module'}"
    for name, argument in spec.items():
        option, where = options[name], f"{path}{name}"
        for key, missing in (("type", "str"), ("elements", None), ("default", None)):
            assert option.get(key) == argument.get(key, missing), f"{key} of {where}"
        assert option.get("choices", []) == argument.get("choices", []), f"choices of {where}"
        assert option.get("required", False) == argument.get("required", False), where
        compare(argument.get("options", {}), option.get("suboptions", {}), f"{where}.")


@pytest.fixture(params=MANIFEST_KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind that has a module."""
    return str(request.param)


def test_options_are_those_of_the_field_table(kind: str) -> None:
    spec = importlib.import_module(f"{PLUGINS}.modules.{kind}").ARGUMENT_SPEC
    compare(spec, documents(kind)[0]["options"])


def test_descriptions_say_what_the_field_table_says(kind: str) -> None:
    spec = KINDS[kind].spec
    for where, field, option in flat(spec.fields, documents(kind)[0]["options"]):
        text = text_of(option)
        if field.required and not option.get("required"):
            said = f"Left out, it is {field.implied}." if field.implied else "Required to create"
            assert said in text, f"{where}: is it required?"
        if field.change is Change.IMMUTABLE:
            assert "Cannot be changed" in text, f"{where}: can it be changed?"
        if field.change is Change.RESTART:
            assert "needs a restart" in text, f"{where}: does it need a restart?"
        if field.nullable:
            assert "V(null) clears" in text, f"{where}: what does null do?"
        if field.unit:
            assert f"ounts {field.unit}" in text or f"ounted in {field.unit}" in text, where
        if field.secret:
            assert "shown nowhere" in text, f"{where}: it is secret"
        for value in default_texts(field):
            assert f"Default on creation is {value}" in text, f"{where}: what is its default?"


def test_nothing_that_follows_from_the_table_is_said_in_words_too(kind: str) -> None:
    for where, _field, option in flat(KINDS[kind].spec.fields, documents(kind)[0]["options"]):
        text = text_of(option)
        for sentence in ("Cannot be changed afterwards", "V(null) clears", "It is shown nowhere"):
            assert text.count(sentence) <= 1, where


def test_a_table_without_words_is_refused_by_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = KINDS["cluster"].spec
    silent = dataclasses.replace(spec, fields=(*spec.fields, Field("silent")))
    monkeypatch.setattr(KINDS["cluster"], "spec", silent)
    with pytest.raises(InputError, match="silent is not documented"):
        module_docs.module("cluster")


def test_a_run_imports_no_documentation() -> None:
    program = (
        "import sys; import pextra.calls.registry as r; [r.find(name) for name in r.names()];"
        "print([n for n in sys.modules if n.startswith('pextra.') and 'doc' in n])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT.parents[2], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert run.stdout.strip() == "[]"


def default_texts(field: Field) -> Iterator[str]:
    """How a description names what a new resource gets."""
    if field.default is None:
        return
    if field.default in ("", [], {}):
        yield "empty"
    elif isinstance(field.default, bool):
        yield f"V({str(field.default).lower()})"
    elif not isinstance(field.default, dict):
        yield f"V({field.default})"


def test_defaults_of_dictionaries_are_said_of_their_keys(kind: str) -> None:
    options = documents(kind)[0]["options"]
    for field in KINDS[kind].spec.fields:
        for key, value in (field.default or {}).items() if field.type == "dict" else ():
            text = text_of(options[field.name]["suboptions"][key])
            assert f"Default on creation is V({value})" in text


def test_each_state_is_explained(kind: str) -> None:
    text = text_of(documents(kind)[0]["options"]["state"])
    for state in KINDS[kind].spec.states:
        assert f"V({state})" in text, state


def test_the_resource_is_returned_as_documented(kind: str) -> None:
    documented = documents(kind)[2][kind]["contains"]
    rows = {name: [row_of(name)] for name in KINDS}
    specs = {name: item.spec for name, item in KINDS.items()}
    returned = KINDS[kind].present(rows[kind][0], World(specs, Rows(rows), cast(Host, None)))
    assert set(documented) == set(returned)
    for key, value in returned.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            assert set(documented[key]["contains"]) == set(value[0]), key


def row_of(kind: str) -> dict[str, Any]:
    """A row of a kind's table, of which each refers to the row of the other kind."""
    row: dict[str, Any] = {
        name: name.removesuffix("_id") for name in sorted(columns_of(KINDS[kind].spec.table))
    }
    made = {
        field.column: field.default
        for field in KINDS[kind].spec.stored
        if field.default is not None
    }
    return row | made | {"id": kind}


@pytest.mark.parametrize("name", STATE_MODULES)
def test_every_state_module_returns_changed_plan_and_errors(name: str) -> None:
    returned = documents(name)[2]
    assert {"changed", "plan", "errors"} <= set(returned)
    assert list(returned["errors"]["contains"]) == ["code", "resource", "message", "hint"]
    step = ["kind", "name", "action", "before", "after", "needs_restart"]
    assert list(returned["plan"]["contains"]) == step


def test_the_manifest_takes_and_purges_every_kind() -> None:
    options, _examples, returned = documents("apply")
    text = text_of(options["options"]["resources"])
    assert [name for name in MANIFEST_KINDS if f"V({name})" not in text] == []
    assert sorted(options["options"]["purge"]["choices"]) == sorted(MANIFEST_KINDS)
    entry = ["kind", "name", "id", "state", "changed", "actions", "resource"]
    assert list(returned["resources"]["contains"]) == entry


def test_database_modules_return_what_is_documented() -> None:
    returned = set(database._migrated("pextra_ce", 0, 1, 0, diff=False))
    assert returned <= set(documents("database")[2])
    found = {"reachable", "error", "latest_version", *database._UNKNOWN}
    assert set(documents("database_info")[2]) == found | {"errors"}


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_tasks_with_options_that_exist(name: str) -> None:
    examples = documents(name)[1]
    assert any(f"pextra.ce.{name}" in task for task in examples)
    for task in examples:
        assert task["name"][0].isupper()
        for action, options in task.items():
            if not action.startswith("pextra.ce."):
                continue
            other = action.removeprefix("pextra.ce.")
            assert set(options or {}) <= set(documents(other)[0]["options"]), task["name"]
            check_values(other, options or {})


def check_values(name: str, options: dict[str, Any]) -> None:
    """Have the engine check options as it does those of a task."""
    filled = without_templates(options)
    if name in KINDS:
        module.to_request(KINDS[name], filled)
    if name == "apply" and isinstance(filled["resources"], list):
        manifest.manifest(filled["resources"])


def without_templates(value: Any) -> Any:
    """The value with something in place of each template."""
    if isinstance(value, Mapping):
        return {key: without_templates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_templates(item) for item in value]
    return re.sub(r"{{.*?}}", "something", value) if isinstance(value, str) else value


def test_the_page_on_access_has_tasks_and_rules_that_the_engine_takes() -> None:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    tasks: list[dict[str, Any]] = []
    for _language, text in (block for block in blocks if block[0] == "yaml"):
        for item in yaml.safe_load(text):
            tasks += item.get("tasks", [item])
    assert len(tasks) >= 5
    for task in tasks:
        for action, options in task.items():
            if action.startswith("pextra.ce."):
                name = action.removeprefix("pextra.ce.")
                assert set(options) <= set(documents(name)[0]["options"])
                check_values(name, options)
    (shown,) = (text for _language, text in blocks if text.startswith("env."))
    for line in shown.splitlines():
        rules.compiled(line)


TYPES = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}


@pytest.mark.parametrize("name", MODULES)
def test_samples_are_of_the_type_that_is_returned(name: str) -> None:
    for where, value in returned_values(documents(name)[2]):
        sample = value.get("sample")
        assert isinstance(sample, TYPES[value["type"]] | None), f"{where}: {sample!r}"


def returned_values(values: Mapping[str, Any], path: str = "") -> Iterator[Any]:
    """Every return value with its documentation, those within others too."""
    for name, value in values.items():
        yield f"{path}{name}", value
        yield from returned_values(value.get("contains", {}), f"{path}{name}.")


def with_database() -> list[str]:
    """The modules that take the option ``database``, sorted."""
    names = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
    return [name for name in names if "database" in documents(name)[0].get("options", {})]


def test_the_action_group_is_every_module_that_takes_the_database() -> None:
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]
    assert groups["all"] == with_database()


@pytest.mark.parametrize("readme", [ROOT / "README.md", ROOT.parents[2] / "README.md"])
def test_a_readme_says_how_to_run_its_playbook(readme: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", readme.read_text(), re.DOTALL | re.MULTILINE)
    plays = [
        (text, commands)
        for (language, text), (_none, commands) in itertools.pairwise(blocks)
        if language == "yaml" and isinstance(yaml.safe_load(text), list)
    ]
    assert plays
    for text, commands in plays:
        found = re.search(r"^\S*ansible-playbook -i \S+ (\w+\.yml)\b", commands, re.MULTILINE)
        assert found is not None, commands
        assert f"`{found[1]}`" in readme.read_text().partition(text)[0]
        (tmp_path / found[1]).write_text(text)
        program = [sys.executable, "-m", "ansible.cli.playbook", "--syntax-check", "-i", "nodes,"]
        done = subprocess.run(
            [*program, str(tmp_path / found[1])], cwd=ROOT.parents[2], capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_the_readme_names_the_modules_that_are_in_no_group() -> None:
    text = " ".join((ROOT / "README.md").read_text().split())
    said = re.search(r"without the database: (.*?)\.", text)
    assert said is not None
    patterns = re.findall(r"`([a-z_*]+)`", said[1])
    names = {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}
    named = {name for name in names if any(fnmatch.fnmatch(name, item) for item in patterns)}
    assert named == names - set(with_database())


def test_every_call_of_the_engine_is_led_to_the_action_that_asks_it() -> None:
    """It also confirms what a node would undo, so that no module is without that."""
    routing = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["plugin_routing"]["modules"]
    assert {item["action_plugin"] for item in routing.values()} == {"pextra.ce.apply"}
    modules = (ROOT / "plugins/modules").glob("*.py")
    calling = {path.stem for path in modules if "module_utils.edge import run" in path.read_text()}
    assert set(routing) | {"apply"} == calling
