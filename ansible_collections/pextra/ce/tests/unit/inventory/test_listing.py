# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory makes of the store's rows, whatever names are in them."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.pextra.ce.plugins.plugin_utils import listing

NAMES = st.sampled_from(
    ["a", "A", "a b", "a-b", "a.b", "a_b", "all", "localhost", "ungrouped", "pextra_nodes", "ä", ""]
)
BOTH = ("nodes", "instances")


def place(number: int, names: tuple[str, str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for level, name in zip(listing.LEVELS, names, strict=True):
        found |= {level: name, f"{level}_id": f"{level[:2]}-{number}"}
    return found


def node(number: int, name: str, cluster: int) -> dict[str, Any]:
    return {
        "id": f"node-{number}", "cluster_id": f"cl-{cluster}", "name": name, "ip_address": None,
    }  # fmt: skip


def instance(number: int, name: str, on: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"inst-{number}", "cluster_id": on["cluster_id"], "node_id": on["id"], "name": name,
        "type": "qemu", "status": "ready", "cpu": {"sockets": 2, "cores": 3, "threads": 2},
    }  # fmt: skip


@st.composite
def rows(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    triples = draw(st.lists(st.tuples(NAMES, NAMES, NAMES), min_size=1, max_size=4))
    places = [place(number, names) for number, names in enumerate(triples)]
    clusters = st.integers(0, len(places) - 1)
    nodes = [
        node(number, name, draw(clusters))
        for number, name in enumerate(draw(st.lists(NAMES, min_size=1, max_size=4)))
    ]
    instances = [
        instance(number, name, nodes[draw(st.integers(0, len(nodes) - 1))])
        for number, name in enumerate(draw(st.lists(NAMES, max_size=6)))
    ]
    return {"places": places, "nodes": nodes, "instances": instances}


@given(rows())
def test_each_row_is_a_host_of_its_own(found: dict[str, list[dict[str, Any]]]) -> None:
    entries = listing.arrange(found, BOTH).entries
    ids = {entry.variables["pextra_id"]: entry.name for entry in entries}
    assert len(ids) == len(set(ids.values())) == len(found["nodes"]) + len(found["instances"])
    assert not listing.RESERVED & set(ids.values())


@given(rows())
def test_each_place_and_node_has_a_group_of_its_own(
    found: dict[str, list[dict[str, Any]]],
) -> None:
    groups = [group for group, _parent in listing.arrange(found, BOTH).groups]
    own = [group for group in groups if not group.startswith(("pextra_", "type_", "state_"))]
    assert len(own) == len(set(own)) == 3 * len(found["places"]) + len(found["nodes"])
    assert all(re.fullmatch(r"[A-Za-z0-9_]+", group) for group in groups)


@given(rows())
def test_groups_come_after_their_parents_and_hosts_are_in_known_groups(
    found: dict[str, list[dict[str, Any]]],
) -> None:
    made = listing.arrange(found, BOTH)
    seen: set[str | None] = {None}
    for group, parent in made.groups:
        assert parent in seen
        seen.add(group)
    assert all(set(entry.groups) <= seen for entry in made.entries)


def test_what_is_not_included_is_no_host_and_changes_no_name() -> None:
    one = node(1, "same", 0)
    found = {
        "places": [place(0, ("o", "d", "c"))],
        "nodes": [one],
        "instances": [instance(1, "same", one)],
    }
    only = listing.arrange(found, ("instances",))
    assert [entry.name for entry in only.entries] == ["same"]
    assert only.entries[0].variables["pextra_vcpus"] == 12
    assert listing.arrange(found, BOTH).renamed == ("same",)


def test_an_organization_without_clusters_is_an_empty_group() -> None:
    bare = place(0, ("o", "d", "c")) | {"cluster": None, "cluster_id": None}
    made = listing.arrange({"places": [bare], "nodes": [], "instances": []}, BOTH)
    assert ("datacenter_d", "organization_o") in made.groups
    assert not [group for group, _parent in made.groups if group.startswith("cluster_")]
