# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the store says of nodes and instances, as hosts and groups of an inventory."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.pextra.ce.plugins.module_utils.bare.model.errors import NotFoundError
from ansible_collections.pextra.ce.plugins.module_utils.bare.model.fields import Row
from ansible_collections.pextra.ce.plugins.module_utils.bare.model.request import label
from ansible_collections.pextra.ce.plugins.module_utils.bare.model.units import format_time
from ansible_collections.pextra.ce.plugins.plugin_utils import inventory_queries as queries

if TYPE_CHECKING:
    from ansible_collections.pextra.ce.plugins.module_utils.bare.store.transaction import (
        Transaction,
    )

LEVELS = ("organization", "datacenter", "cluster")
"""What a node and an instance are in, from the outside in; each is a group of the next."""
NODES, INSTANCES = "pextra_nodes", "pextra_instances"
RESERVED = frozenset({"all", "ungrouped", "localhost", NODES, INSTANCES})
"""Names that mean something else in an inventory."""

_PLACES = """
    SELECT o.id AS organization_id, o.name AS organization,
        d.id AS datacenter_id, d.name AS datacenter, c.id AS cluster_id, c.name AS cluster
    FROM organizations o
    LEFT JOIN datacenters d ON d.organization_id = o.id
    LEFT JOIN clusters c ON c.datacenter_id = d.id"""
_ALL_PLACES = f"{_PLACES} ORDER BY o.name, d.name, c.name"
_PLACES_OF = f"{_PLACES} WHERE c.id = ANY(%s) ORDER BY o.name, d.name, c.name"
_NODES = f"{queries.NODES} WHERE cluster_id = ANY(%s) ORDER BY name, id"
_NAMED_NODES = f"{queries.NODES} WHERE id = ANY(%s) OR name = ANY(%s) ORDER BY name, id"
_INSTANCES = {
    column: f"{queries.INSTANCES} WHERE {column} = ANY(%s) ORDER BY name, id"
    for column in ("cluster_id", "node_id")
}
_NETWORK_COLUMNS = """
    SELECT n.instance_id, n.name, n.mac, n.model, p.name AS port_group, s.name AS vswitch
    FROM network_devices n
    JOIN instances i ON i.id = n.instance_id
    JOIN port_groups p ON p.id = n.port_group_id
    JOIN vswitches s ON s.id = p.vswitch_id"""
_NETWORKS = {
    column: f"{_NETWORK_COLUMNS} WHERE i.{column} = ANY(%s) ORDER BY n.name"
    for column in ("cluster_id", "node_id")
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A host of the inventory: its name, the groups that it is in directly, its variables."""

    name: str
    groups: tuple[str, ...]
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listing:
    """An inventory.

    Attributes:
        groups: Pairs of a group and its parent, parents first; None where it has none.
        entries: The hosts.
        renamed: Names that several have or that are reserved; those carry their id.
    """

    groups: tuple[tuple[str, str | None], ...]
    entries: tuple[Entry, ...]
    renamed: tuple[str, ...]


def read(
    tx: Transaction, only: Mapping[str, Sequence[str]], *, networks: bool
) -> dict[str, list[Row]]:
    """Rows of places, nodes and instances: a query each, however many there are.

    Only values that JSON has are in it, so that it can be cached as it is. Where nodes are named,
    nothing is read of others.

    Args:
        tx: The store.
        only: Names or ids by level, and of ``node``; an empty list takes everything of that level.
        networks: Network devices too, with one more query.

    Raises:
        NotFoundError: The store has nothing of a name or id in ``only``.
    """
    wanted = list(only.get("node") or ())
    if wanted:
        nodes = tx.query(_NAMED_NODES, (wanted, wanted))
        clusters = sorted({row["cluster_id"] for row in nodes})
        places = _chosen(tx.query(_PLACES_OF, (clusters,)), only)
        kept = {row["cluster_id"] for row in places}
        nodes = [row for row in nodes if row["cluster_id"] in kept]
        for ref in wanted:
            if not any(ref in (row["name"], row["id"]) for row in nodes):
                raise NotFoundError("does not exist", resource=label("node", ref))
        column, ids = "node_id", [row["id"] for row in nodes]
    else:
        places = _chosen(tx.query(_ALL_PLACES), only)
        column, ids = (
            "cluster_id",
            sorted({row["cluster_id"] for row in places if row["cluster_id"]}),
        )
        nodes = tx.query(_NODES, (ids,))
    rows = {
        "places": places,
        "nodes": [_plain(row) for row in nodes],
        "instances": [_plain(row) for row in tx.query(_INSTANCES[column], (ids,))],
    }
    if networks:
        rows["networks"] = tx.query(_NETWORKS[column], (ids,))
    return rows


def _chosen(places: list[Row], only: Mapping[str, Sequence[str]]) -> list[Row]:
    for level in LEVELS:
        wanted = only.get(level) or ()
        for ref in wanted:
            if not any(ref in (row[level], row[f"{level}_id"]) for row in places):
                raise _unknown(level, ref, {str(row[level]) for row in places if row[level]})
        if wanted:
            places = [row for row in places if row[level] in wanted or row[f"{level}_id"] in wanted]
    return places


def _unknown(level: str, ref: str, names: set[str]) -> NotFoundError:
    near = difflib.get_close_matches(ref, sorted(names), 1)
    have = ", ".join(sorted(names)[:5]) + (", ..." if len(names) > 5 else "")
    hint = f'Did you mean "{near[0]}"?' if near else f"There are: {have or 'none'}"
    return NotFoundError("does not exist", resource=label(level, ref), hint=hint)


def _plain(row: Row) -> Row:
    return {
        key: format_time(value) if isinstance(value, dt.datetime) else value
        for key, value in row.items()
    }


def arrange(rows: Mapping[str, list[Row]], include: Iterable[str]) -> Listing:
    """The inventory of rows that ``read`` returned.

    Args:
        rows: The rows.
        include: ``nodes``, ``instances`` or both.
    """
    places = {row["cluster_id"]: row for row in rows["places"] if row["cluster_id"]}
    names = {level: _group_names(level, _named(rows["places"], level)) for level in LEVELS}
    nodes = {row["id"]: row for row in rows["nodes"]}
    names["node"] = _group_names("node", {id: row["name"] for id, row in nodes.items()})
    hosts = [
        (kind, row) for kind in ("nodes", "instances") if kind in include for row in rows[kind]
    ]
    counts = Counter(row["name"] for _kind, row in hosts)
    renamed = {name for name, count in counts.items() if count > 1 or name in RESERVED}
    networks = _by_instance(rows["networks"]) if "networks" in rows else None
    entries = []
    for kind, row in hosts:
        name = f"{row['name']}_{row['id']}" if row["name"] in renamed else row["name"]
        place = places[row["cluster_id"]]
        if kind == "nodes":
            groups: tuple[str, ...] = (names["cluster"][row["cluster_id"]], NODES)
            variables = _node_variables(row, place)
        else:
            states = (f"type_{row['type']}", f"state_{row['status']}")
            groups = (names["node"][row["node_id"]], INSTANCES, *map(_safe, states))
            node = nodes[row["node_id"]]
            variables = _instance_variables(row, place, node)
            if networks is not None:
                variables["pextra_networks"] = networks.get(row["id"], [])
        entries.append(Entry(name, groups, variables))
    tree = list(_tree(rows["places"], nodes, names))
    others = {group for entry in entries for group in entry.groups} - {group for group, _up in tree}
    tree += [(group, None) for group in sorted(others)]
    return Listing(tuple(tree), tuple(entries), tuple(sorted(renamed)))


def _tree(
    places: Iterable[Row], nodes: Mapping[str, Row], names: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, str | None]]:
    yield NODES, None
    yield INSTANCES, None
    known = set()
    for place in places:
        parent = None
        for level in LEVELS:
            id = place[f"{level}_id"]
            if id is None:
                break
            group = names[level][id]
            if group not in known:
                known.add(group)
                yield group, parent
            parent = group
    for id, node in nodes.items():
        yield names["node"][id], names["cluster"][node["cluster_id"]]


def _named(places: Iterable[Row], level: str) -> dict[str, str]:
    return {row[f"{level}_id"]: row[level] for row in places if row[f"{level}_id"]}


def _group_names(kind: str, named: Mapping[str, str]) -> dict[str, str]:
    """Group names by id; two that would be the same carry their ids."""
    short = {id: _safe(f"{kind}_{name}") for id, name in named.items()}
    counts = Counter(short.values())
    return {id: _safe(f"{name}_{id}") if counts[name] > 1 else name for id, name in short.items()}


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def _by_instance(networks: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in networks:
        device = {key: value for key, value in row.items() if key != "instance_id"}
        found.setdefault(row["instance_id"], []).append(device)
    return found


def _node_variables(row: Row, place: Row) -> dict[str, Any]:
    values = {f"pextra_{key}": value for key, value in {**place, **row}.items()}
    values["pextra_kind"] = "node"
    if row["ip_address"]:
        values["ansible_host"] = row["ip_address"]
    return values


def _instance_variables(row: Row, place: Row, node: Row) -> dict[str, Any]:
    """Fewer than a node has: with thousands of hosts, Ansible's time grows with each of them."""
    cpu = row["cpu"]
    values = {f"pextra_{key}": value for key, value in row.items() if key != "cluster_id"}
    values.update({f"pextra_{level}": place[level] for level in LEVELS})
    values["pextra_node"] = node["name"]
    values["pextra_kind"] = "instance"
    values["pextra_vcpus"] = cpu["sockets"] * cpu["cores"] * cpu["threads"]
    return values
