# SPDX-License-Identifier: Apache-2.0
"""A field is added in one place: it is found wherever fields are, or its absence is told."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any, cast

import pytest

from pextra.backup import restoring, taking
from pextra.calls import registry
from pextra.calls.resource import to_request
from pextra.engine.world import World
from pextra.kinds.instance import domain, realised
from pextra.kinds.instance.domain import DomainState
from pextra.kinds.registry import KINDS
from pextra.kinds.views import INFOS
from pextra.model.fields import Change, Field
from pextra.store import schema
from pextra.store.migrations.migration import Migration
from pextra.tests.info.cloud import NOW, Node
from pextra.tests.rows import Rows
from pextra.tests.tables import columns_of
from scripts import generate_modules, module_docs, row_types

TRIAL = Field("trial", "int", default=7, unit="MiB", doc=("Something that is tried.",))
Add = Callable[[Field], None]


def migrate(monkeypatch: pytest.MonkeyPatch, column: str) -> None:
    """Add a column to the table of instances."""
    step = Migration(99, "trial", (f"ALTER TABLE instances ADD COLUMN {column}",))
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Add:
    """Adds a field to the table of instances, and to nothing else."""

    def change(field: Field) -> None:
        spec = KINDS["instance"].spec
        trial = dataclasses.replace(spec, fields=(*spec.fields, field))
        monkeypatch.setattr(KINDS["instance"], "spec", trial)

    return change


def world_of(cloud: Node) -> World:
    """The cloud as an engine sees it."""
    return World({name: kind.spec for name, kind in KINDS.items()}, Rows(cloud.rows), cloud.host)


def test_it_is_an_option(add: Add) -> None:
    add(TRIAL)
    spec = generate_modules.argument_spec(registry.find("instance"))
    assert spec["trial"] == {"type": "int"}
    request = to_request(KINDS["instance"], {"name": "web", "trial": "9"})
    assert request.values["trial"] == 9


def test_it_is_in_the_documentation_of_module_and_list(add: Add) -> None:
    add(TRIAL)
    option = module_docs.module("instance")[0]["options"]["trial"]
    assert option["description"] == [
        "Something that is tried.",
        "Counted in MiB. Default on creation is V(7).",
    ]
    for returned in (
        module_docs.module("instance")[2]["instance"],
        module_docs.info("instance")[2]["instances"],
    ):
        documented = returned["contains"]["trial"]
        assert documented == {"description": "Something that is tried.", "type": "int", "sample": 7}
    assert "trial" in module_docs.info("instance")[0]["options"]["fields"]["choices"]


def test_it_is_in_what_is_returned(add: Add, cloud: Node) -> None:
    add(TRIAL)
    cloud.add_instance("db", trial=8)
    (found,) = cloud.info("instance", ["name", "trial"], name="db")
    assert found == {"name": "db", "trial": 8}
    world = world_of(cloud)
    row = next(row for row in cloud.rows["instance"] if row["name"] == "db")
    assert KINDS["instance"].present(row, world)["trial"] == 8


def test_it_is_a_variable_of_the_inventory(add: Add) -> None:
    add(TRIAL)
    assert re.search(r"\btrial\b.* FROM instances", generate_modules.inventory_text(), re.DOTALL)


@pytest.mark.parametrize(
    ("field", "column", "expected"),
    [
        (TRIAL, "trial INT8 NOT NULL", "int"),
        (Field("trial"), "trial TEXT", "str | None"),
        (Field("trial", choices=("a", "b")), "trial TEXT NOT NULL", "Literal['a', 'b']"),
        (Field("trial", "list", elements="int"), "trial JSONB NOT NULL", "list[int]"),
        (Field("trial", "dict", options=(TRIAL,)), "trial JSONB", "InstanceTrial | None"),
        (
            Field("trials", "list", elements="dict", options=(TRIAL,)),
            "trials JSONB NOT NULL",
            "list[InstanceTrial]",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_is_in_the_type_of_a_row(
    field: Field, column: str, expected: str, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(field)
    migrate(monkeypatch, column)
    body = row_types.text().partition("class InstanceRow(TypedDict):")[2].partition("\nclass ")[0]
    assert f"    {field.name}: {expected}\n" in body


def test_what_is_in_a_dictionary_has_a_type_too(add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = (TRIAL, Field("always", required=True), Field("known", nullable=True))
    add(Field("trial", "dict", options=parts, default={"known": None}))
    migrate(monkeypatch, "trial JSONB NOT NULL")
    body = row_types.text().partition("class InstanceTrial(TypedDict):")[2].partition("\nclass ")[0]
    keys = [line.strip() for line in body.splitlines() if line.startswith("    ") and ":" in line]
    assert keys == ["trial: NotRequired[int]", "always: str", "known: str | None"]


def test_the_types_of_rows_say_that_the_table_lacks_the_column(add: Add) -> None:
    add(TRIAL)
    with pytest.raises(LookupError, match="only the kind instance or only its table has: trial"):
        row_types.text()


def test_it_is_in_backups_and_comes_back(add: Add, cloud: Node) -> None:
    add(TRIAL)
    cloud.add_instance("db", trial=8)
    for disk, card in zip(cloud.rows["volume"], cloud.rows["network_device"], strict=True):
        disk["size"], card["mac"] = 2**30, "52:54:00:12:34:56"
    row = next(row for row in cloud.rows["instance"] if row["name"] == "db")
    said = taking.manifest(row, world_of(cloud), NOW)
    assert said["instance"]["trial"] == 8
    options = restoring.options(said, None, None, world_of(cloud))
    assert to_request(KINDS["instance"], options).values["trial"] == 8


def test_what_is_marked_otherwise_is_left_out(add: Add, cloud: Node) -> None:
    add(dataclasses.replace(TRIAL, secret=True, backed_up=False))
    cloud.add_instance("db", trial=8)
    row = next(row for row in cloud.rows["instance"] if row["name"] == "db")
    world = world_of(cloud)
    assert "trial" not in taking.manifest(row, world, NOW)["instance"]
    assert "trial" not in KINDS["instance"].present(row, world)
    assert "trial" not in INFOS["instance"].fields
    assert "trial" not in generate_modules.inventory_text()
    option = module_docs.module("instance")[0]["options"]["trial"]
    assert option["description"][-1].endswith("It is shown nowhere.")


def test_the_host_says_that_it_does_not_know_it(add: Add) -> None:
    add(TRIAL)
    with pytest.raises(TypeError, match="the field trial of instances is in 0 of its tables"):
        realised.check(KINDS["instance"].spec.fields)


def test_a_restart_needs_something_that_is_compared(
    add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(dataclasses.replace(TRIAL, change=Change.RESTART))
    monkeypatch.setattr(realised, "NOT_ON_HOST", realised.NOT_ON_HOST | {"trial"})
    with pytest.raises(TypeError, match="a change of trial needs a restart"):
        realised.check(KINDS["instance"].spec.fields)


@pytest.mark.parametrize("kind", KINDS)
def test_tables_have_the_columns_that_kinds_know_and_no_others(kind: str) -> None:
    spec = KINDS[kind].spec
    assert spec.columns == columns_of(spec.table)


def test_the_table_says_that_it_lacks_the_column(add: Add) -> None:
    add(TRIAL)
    spec = KINDS["instance"].spec
    assert spec.columns - columns_of(spec.table) == {"trial"}


OTHERWISE: dict[str, Any] = {
    "name": "other",
    "type": "lxc",
    "cpu": {"sockets": 2, "cores": 2, "threads": 2},
    "memory": 2048,
    "chipset": "i440fx",
    "firmware": "uefi",
    "boot_order": ["net0"],
    "cdrom": "/srv/rescue.iso",
    "cloud_init": None,
    "rootfs": "/srv/root",
}


@pytest.mark.parametrize("field", realised.IN_DOMAIN)
def test_the_domain_carries_what_it_is_said_to(
    field: str, cloud: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    cast(Any, cloud.host).__dict__["kvm"] = False
    world = world_of(cloud)
    row = cloud.rows["instance"][0]
    was = domain.desired(row, DomainState(), world)
    now = domain.desired({**row, field: OTHERWISE[field]}, DomainState(), world)
    differs = {
        name for name in realised.IN_DOMAIN[field] if getattr(was, name) != getattr(now, name)
    }
    assert differs
