# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run reads depends on what it is asked and on this node, not on what other nodes have."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from ansible_collections.pextra.ce.plugins.plugin_utils import listing
from ansible_collections.pextra.ce.tests.integration.lab import ROOT, Node, succeeded
from ansible_collections.pextra.ce.tests.integration.postgres import Postgres
from pextra.calls.listing import fields_of, read
from pextra.host.machine import Host
from pextra.kinds.registry import KINDS
from pextra.kinds.view import View
from pextra.kinds.views import INFOS
from pextra.model.errors import PextraError
from pextra.store.connection import Store

_LARGE = {"cluster": "cluster", "organizations": 20, "nodes": 100, "instances": 20}
FEW = 150
"""Rows that may be fetched from tables and indexes for one call in a store of thousands."""
TRIES = 3
_FETCHED = "SELECT coalesce(sum({}), 0) FROM pg_stat_user_tables"


class Scaled:
    """A node in a store that becomes large.

    Attributes:
        rows: Of each call by name, how many rows it read while the store was small.
    """

    def __init__(self, node: Node, server: Postgres) -> None:
        self.node, self._server = node, server
        self.name = node.database.split("dbname=")[1].split()[0]
        self._work()
        self.rows = self._work()

    def enlarge(self) -> None:
        """Put many other nodes into the store, with all that they have."""
        self._server.script(ROOT / "benchmarks/large_store.sql", self.name, **_LARGE)

    def again(self) -> dict[str, int]:
        """The rows of each call now."""
        return self._work()

    def call(self, module: str, **args: Any) -> int:
        """How many rows a task reads."""
        result = succeeded(self.node.task(module, args, count_rows=True))
        return sum(int(rows) for rows in result.raw["points"])

    def fetched(self) -> tuple[int, int]:
        """How many rows all sessions that have ended have read: by whole tables, by indexes."""
        deadline = time.monotonic() + 30
        others = (
            f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{self.name}'"
            " AND backend_type = 'client backend'"
        )
        while int(self._server.psql(others)):
            assert time.monotonic() < deadline, "a session does not end"
        seq, index = (
            int(self._server.psql(_FETCHED.format(column), self.name))
            for column in ("seq_tup_read", "idx_tup_fetch")
        )
        return seq, index

    def _work(self) -> dict[str, int]:
        node, pool = self.node, self.node.pool
        vms = [node.name(f"vm{number}") for number in range(20)]
        one = node.instance(node.name("one"))
        entries = [{"kind": "instance", **node.instance(name)} for name in vms]
        gone = {"state": "absent", "destroy_volumes": True}
        path = {"path": str(node.directory / "other")}
        other = {"name": node.name("other"), "options": path, "nodes": ["node1"]}
        calls: dict[str, tuple[str, dict[str, Any]]] = {
            "make a user": ("user", {"username": "ann", "organization": "org"}),
            "find a user": ("user", {"username": "ann", "organization": "org"}),
            "change a user": (
                "user", {"username": "ann", "organization": "org", "description": "new"}
            ),
            "remove a user": (
                "user", {"username": "ann", "organization": "org", "state": "absent"}
            ),
            "make an organization": ("organization", {"name": "mine"}),
            "change an organization": ("organization", {"name": "mine", "description": "new"}),
            "remove an organization": ("organization", {"name": "mine", "state": "absent"}),
            "make a port group": ("port_group", {"name": "dmz", "vswitch": node.vswitch}),
            "change a port group": ("port_group", {"name": "dmz", "mac_changes": False}),
            "remove a port group": ("port_group", {"name": "dmz", "state": "absent"}),
            "make an instance": ("instance", one),
            "find an instance": ("instance", one),
            "list an instance": ("instance_info", {"name": one["name"]}),
            "list what is on a node": ("volume_info", {"node": "node1"}),
            "list a port group": ("port_group_info", {"name": "lan", "node": "node1"}),
            "attach a volume": (
                "volume",
                {**node.volume("data"), "state": "attached", "instance": one["name"]},
            ),
            "remove an instance": ("instance", {"name": one["name"], **gone}),
            "remove a volume": (
                "volume", {"name": "data", "storage_pool": pool, "state": "absent"}
            ),
            "apply instances": ("apply", {"resources": entries}),
            "apply instances again": ("apply", {"resources": entries}),
            "purge": ("apply", {"resources": entries[:10], "purge": ["instance", "volume"]}),
            "remove instances": (
                "apply",
                {"resources": [{"kind": "instance", "name": name, **gone} for name in vms]},
            ),
            "purge volumes": ("apply", {"resources": [], "purge": ["volume"]}),
            "propagate": ("storage_pool_propagation", {}),
        }  # fmt: skip
        succeeded(node.task("storage_pool", other))
        calls |= {
            "find a pool of one node": ("storage_pool", other),
            "list a pool of one node": ("storage_pool_info", {"name": other["name"]}),
            "remove a pool of one node": (
                "storage_pool", {"name": other["name"], "state": "absent"}
            ),
        }  # fmt: skip
        return {name: self.call(module, **args) for name, (module, args) in calls.items()}


@pytest.fixture(scope="module")
def scaled(make_module_lab: Callable[..., Node], postgres: Postgres) -> Scaled:
    """A node that has done some work, in a store that has become large since."""
    node = make_module_lab(Node)
    node.prepare()
    made = Scaled(node, postgres)
    made.enlarge()
    return made


def test_no_run_reads_more_rows_because_other_nodes_have_something(scaled: Scaled) -> None:
    before = scaled.fetched()
    # Who finds that another one had the host's lock meanwhile reads once more: the least counts.
    tries, least, more = 0, dict[str, int](), {"": 1}
    while more and tries < TRIES:
        tries += 1
        again = scaled.again()
        least = {name: min(rows, least.get(name, rows)) for name, rows in again.items()}
        more = {name: rows for name, rows in least.items() if rows > scaled.rows[name]}
    assert more == {}
    whole, by_index = (now - then for now, then in zip(scaled.fetched(), before, strict=True))
    assert whole == 0
    assert by_index < len(scaled.rows) * FEW * tries


def test_what_is_refused_because_of_many_is_refused_after_looking_at_a_few(
    scaled: Scaled,
) -> None:
    refused = (
        ("storage_pool", {"name": scaled.node.pool}),
        ("organization", {"name": "larger-1"}),
        ("datacenter", {"name": "dc", "organization": "larger-1"}),
        ("cluster", {"id": scaled.node.row("clusters", "cluster")["id"]}),
        ("node", {"id": scaled.node.row("nodes", "larger-2")["id"]}),
    )
    before = scaled.fetched()
    for module, args in refused:
        task = {**args, "state": "absent"}
        result = scaled.node.task(module, task, count_rows=True)
        assert result.failed
        assert "still holds" in result.message
        assert ("more than 5" in result.message) == (module in ("storage_pool", "cluster"))
        assert sum(int(rows) for rows in result.raw["points"]) < 30
    assert scaled.fetched()[0] == before[0]


def _combinations(kind: str) -> Iterator[dict[str, str]]:
    """Every option of a kind's list alone, and each two of them."""
    values = {
        "id": f"{KINDS[kind].spec.prefix}-{'x' * 21}", "name": "larger-7", "username": "user7",
        "organization": "larger-7", "node": "larger-7", "storage_pool": "own-7",
        "vswitch": "svswitch5000007", "instance": "larger-7", "volume": "larger-7",
    }  # fmt: skip
    names = [field.name for field in fields_of(INFOS[kind]) if field.name in values]
    for count in (1, 2):
        for some in itertools.combinations(names, count):
            yield {name: values[name] for name in some}


@pytest.mark.parametrize("kind", sorted(INFOS))
def test_every_filter_of_a_list_has_an_index(scaled: Scaled, kind: str) -> None:
    for given in _combinations(kind):
        before = scaled.fetched()
        _list(scaled.node.database, kind, given)
        whole, by_index = (now - then for now, then in zip(scaled.fetched(), before, strict=True))
        assert (given, whole) == (given, 0)
        assert by_index < FEW, given


def _list(database: str, kind: str, given: Mapping[str, str]) -> None:
    host = Host()
    host.__dict__["key"] = "k" * 32
    now = dt.datetime.now(dt.UTC)
    with Store(database) as store:
        try:
            store.transact(
                lambda tx: read(INFOS[kind], View(tx, host, now), {**given, "fields": ["id"]}),
                read_only=True,
            )
        except PextraError as error:
            assert error.code in ("not_found", "conflict")  # noqa: PT017 - several have that name


def test_inventory_of_one_node_reads_that_node_alone(scaled: Scaled) -> None:
    before = scaled.fetched()
    with Store(scaled.node.database) as store:
        rows = store.transact(
            lambda tx: listing.read(tx, {"node": ["larger-2"]}, networks=True), read_only=True
        )
    assert [row["name"] for row in rows["nodes"]] == ["larger-2"]
    assert len(rows["instances"]) == len(rows["networks"]) == _LARGE["instances"]
    whole, by_index = (now - then for now, then in zip(scaled.fetched(), before, strict=True))
    assert whole == 0
    assert by_index < 5 * 20 + FEW


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_unique_in_a_kind_is_so_by_a_constraint(scaled: Scaled, kind: str) -> None:
    spec = KINDS[kind].spec
    text = scaled._server.psql(
        f"""SELECT json_agg(columns) FROM (
            SELECT array_agg(a.attname) AS columns FROM pg_index i
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
            WHERE i.indrelid = '{spec.table}'::regclass AND i.indisunique
            GROUP BY i.indexrelid) AS unique_indexes""",
        scaled.name,
    )
    constraints = [set(columns) for columns in json.loads(text)]
    assert any(columns <= {spec.key, *spec.scope} for columns in constraints)
    for column in spec.unique:
        assert {column} in constraints
