# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store that was made before secrets were encrypted: brought up to date, also if killed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Args, Node
from ansible_collections.pextra.ce.tests.integration.postgres import Postgres
from ansible_collections.pextra.ce.tests.integration.test_secrets import (
    command,
    dump,
    found_in,
    keys,
    lose,
    machine,
    planted,
    pools,
    seeds,
)
from pextra.host.machine import Host
from pextra.kinds.registry import KINDS
from pextra.store.connection import Store
from pextra.store.schema import MIGRATIONS
from pextra.store.transaction import Transaction

BEFORE = 8
"""The last version of the schema in which secrets were in the clear."""
COUNT = 5
"""The secrets that could be in such a store."""
_TABLES = (
    "organizations", "datacenters", "clusters", "nodes", "storage_pools", "storage_pool_nodes",
    "vswitches", "port_groups", "instances", "network_devices", "volumes",
)  # fmt: skip
_COLUMNS = (
    "SELECT column_name AS name FROM information_schema.columns"
    " WHERE table_schema = current_schema() AND table_name = %s"
)
_count = itertools.count(1)


def older(node: Node) -> list[Args]:
    """One of everything that had a secret then."""
    return [entry for entry in planted(node) if entry["kind"] != "ai_provider"]


def contents(node: Node) -> dict[str, list[Args]]:
    """All rows of the node's cloud by table, with secrets in the clear as they were then."""
    host, found = Host(*node.directories), dict[str, list[Args]]()
    specs = {kind.spec.table: kind.spec for kind in KINDS.values()}
    with Store(node.database) as store:
        for table in _TABLES:
            rows = store.select(specs[table], {})
            found[table] = [
                host.keyring.opened(specs[table].name, row, specs[table].encrypted) for row in rows
            ]
    return found


def write(database: str, rows: dict[str, list[Args]]) -> None:
    """Make the tables as they were, and write the rows."""

    def work(tx: Transaction) -> None:
        tx.execute("CREATE TABLE schema_migrations (version INT8 PRIMARY KEY,"
                   " applied TIMESTAMPTZ NOT NULL DEFAULT now())")  # fmt: skip
        for migration in MIGRATIONS[:BEFORE]:
            for statement in migration.statements:
                tx.execute(statement)
            tx.execute(f"INSERT INTO schema_migrations (version) VALUES ({migration.version})")
        for table, some in rows.items():
            names = [row["name"] for row in tx.query(_COLUMNS, (table,))]
            if some:
                known = [{name: row[name] for name in names} for row in some]
                tx._insert(table, names, known)

    with Store(database, any_schema=True) as store:
        store.transact(work)


@pytest.fixture
def old(node: Node, postgres: Postgres) -> Iterator[tuple[Node, str]]:
    """A node whose store is of the version before, and a template of that."""
    node.apply(*older(node))
    template = f"before{next(_count)}"
    database = postgres.create(template)
    write(database, contents(node))
    lose(node)
    node.database = database
    yield node, template
    postgres.drop(template)


def test_secrets_of_an_older_store_are_encrypted_and_nothing_changes(
    old: tuple[Node, str],
) -> None:
    node, _template = old
    assert len(found_in(dump(node))) == COUNT
    before = seeds(node)
    assert node.run("database", check=True, state="migrated").changed
    assert keys(node) == []
    done = node.run("database", state="migrated")
    assert [step["action"] for step in done["plan"]] == ["migrate", "encrypt"]
    assert done["plan"][1]["before"] == {"plain_secrets": COUNT}
    assert found_in(dump(node)) == []
    assert not node.run("database", state="migrated").changed
    assert not node.apply(*older(node)).changed
    assert seeds(node) == before
    assert command(node, "status")["keys"][0]["secrets"] == COUNT


def test_a_migration_that_is_killed_anywhere_loses_nothing(
    old: tuple[Node, str], postgres: Postgres
) -> None:
    node, template = old
    before, names = seeds(node), list[str]()
    for at in itertools.count(1):
        name = f"{template}k{at}"
        node.database = postgres.create(name, template)
        names.append(name)
        if keys(node):
            lose(node)
        result = node.task("database", {"state": "migrated"}, die_at=at)
        if result.raw["signal"] is None:
            break
        node.run("database", state="migrated")
        assert found_in(dump(node)) == [], f"killed at {at}"
        assert not node.apply(*older(node)).changed, f"killed at {at}"
        assert seeds(node) == before
        told = command(node, "status")
        assert [(key["state"], key["secrets"]) for key in told["keys"]] == [("current", COUNT)]
        assert (told["plain"], told["unreadable"], told["unknown_here"]) == (0, [], [])
    assert at > 8
    for name in names:
        postgres.drop(name)


def test_what_is_not_encrypted_yet_works_and_is_encrypted_in_backups(
    old: tuple[Node, str],
) -> None:
    """As a run finds it that begins between the migration and the end of the encryption."""
    node, _template = old
    killed = node.task("database", {"state": "migrated"}, die_at="committed")
    assert killed.raw["signal"]
    assert len(found_in(dump(node))) == COUNT
    assert command(node, "status")["plain"] == COUNT
    assert not node.apply(*older(node)).changed
    node.run("instance", name=node.name("vm"), memory="48MiB")
    path = node.directory / "vm.tar"
    node.run("instance_backup", instance=node.name("vm"), path=str(path))
    assert found_in(path.read_bytes().decode("latin-1")) == []
    node.run("instance", name=node.name("vm"), cloud_init={"meta_data": {"a": 1}})
    entry = pools(node)[0]
    entry["options"] = {**entry["options"], "password": "quite another"}
    assert node.apply(entry).changed
    assert "quite another" not in dump(node)
    node.run("database", state="migrated")
    assert found_in(dump(node)) == []
    assert not node.run("instance", **machine(node, memory="48MiB")).changed
