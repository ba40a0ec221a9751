# SPDX-License-Identifier: Apache-2.0
"""What all ``_info`` modules have in common: filters, fields, and how little they ask."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest
import yaml

from pextra.calls.call import plain
from pextra.calls.listing import fields_of
from pextra.kinds.registry import KINDS, MANIFEST_KINDS
from pextra.kinds.views import INFOS
from pextra.model import ids
from pextra.model.errors import ConflictError, NotFoundError
from pextra.tests.info.cloud import Node, day
from pextra.tests.tables import columns_of

MOST = 3
"""Queries a kind: one for each way in which its rows are found, however many rows there are."""
EVERY_KIND = pytest.mark.parametrize("kind", sorted(INFOS))
EVERY_FIELD = pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind in sorted(INFOS) for field in INFOS[kind].fields]
)


def test_every_kind_that_users_name_can_be_listed() -> None:
    assert set(INFOS) == set(MANIFEST_KINDS)


@EVERY_KIND
def test_documentation_names_the_fields_that_are_returned(kind: str) -> None:
    module: Any = importlib.import_module(
        f"ansible_collections.pextra.ce.plugins.modules.{kind}_info"
    )
    documented, returned = yaml.safe_load(module.DOCUMENTATION), yaml.safe_load(module.RETURN)
    info = INFOS[kind]
    assert set(returned[info.plural]["contains"]) == set(info.fields)
    assert documented["options"]["fields"]["choices"] == sorted(info.fields)
    assert set(documented["options"]) == {field.name for field in fields_of(info)} - {"id"}


@EVERY_KIND
def test_what_is_documented_of_a_field_is_what_is_in_it(kind: str, cloud: Node) -> None:
    module: Any = importlib.import_module(
        f"ansible_collections.pextra.ce.plugins.modules.{kind}_info"
    )
    contains = yaml.safe_load(module.RETURN)[INFOS[kind].plural]["contains"]
    (found,) = plain(cloud.info(kind))
    for name, value in found.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and "contains" in contains[name]:
                assert set(item) <= set(contains[name]["contains"]), name


@EVERY_KIND
def test_columns_are_in_the_table_and_no_secret_among_them(kind: str) -> None:
    spec = KINDS[kind].spec
    assert set(INFOS[kind].columns) <= columns_of(spec.table) - spec.secret_columns()


def test_no_secret_is_returned(cloud: Node) -> None:
    found = json.dumps([plain(cloud.info(kind)) for kind in INFOS])
    assert "HUSH" not in found
    assert 40 * "x" not in found


@EVERY_FIELD
def test_a_field_can_be_asked_for_alone(kind: str, field: str, cloud: Node) -> None:
    (found,) = cloud.info(kind, [field])
    assert set(found) == {field}
    assert max(cloud.queries.values()) <= MOST


@EVERY_KIND
def test_all_fields_take_few_queries_a_kind(kind: str, cloud: Node) -> None:
    (found,) = cloud.info(kind, INFOS[kind].fields)
    assert set(found) == set(INFOS[kind].fields)
    assert max(cloud.queries.values()) <= MOST


def test_narrowing_the_fields_narrows_the_reading(cloud: Node) -> None:
    cloud.info("instance", ["id", "name", "memory"])
    assert set(cloud.queries) == {"instance"}
    assert not cloud.libvirt.calls


@pytest.mark.parametrize(
    ("fields", "calls"),
    [
        (["name", "volumes", "networks", "deployment_duration"], {}),
        (["name", "state", "uptime"], {"listAllDomains": 4}),
        (["name", "console", "accelerator"], {"listAllDomains": 4, "XMLDesc": 1000}),
        ([], {"listAllDomains": 4, "XMLDesc": 1000}),
    ],
)
def test_a_thousand_instances_are_read_in_bulk(
    fields: list[str], calls: dict[str, int], cloud: Node
) -> None:
    for number in range(999):
        cloud.run(cloud.add_instance(f"more{number}"))
    assert len(cloud.info("instance", fields)) == 1000
    assert max(cloud.queries.values()) <= MOST
    assert dict(cloud.libvirt.calls) == calls


def test_many_clusters_are_read_in_as_few_queries_as_one(cloud: Node) -> None:
    inside = {"organization_id": cloud.organization, "datacenter_id": cloud.datacenter}
    for number in range(50):
        cluster = cloud.add("cluster", name=f"more{number}", **inside)
        cloud.add(
            "node", name="node1", organization_id=cloud.organization, cluster_id=cluster,
            host_key=str(number),
        )  # fmt: skip
    assert len(cloud.info("cluster")) == 51
    assert max(cloud.queries.values()) <= MOST


def test_resources_are_sorted_by_name(cloud: Node) -> None:
    for name in ("zeta", "Alpha", "beta"):
        cloud.add("organization", name=name)
    names = [item["name"] for item in cloud.info("organization")]
    assert names == ["Alpha", "Example", "beta", "zeta"]


def test_licences_are_sorted_by_the_name_of_their_node(cloud: Node) -> None:
    for name in ("node3", "node2", "node0"):
        cloud.add("node_license", node_id=cloud.add_node(name), key=name, expiry=day(1))
    names = [item["node"] for item in cloud.info("node_license")]
    assert names == ["node0", "node1", "node2", "node3"]


@pytest.mark.parametrize("option", ["id", "name"])
def test_an_unknown_name_or_id_gives_an_empty_list(option: str, cloud: Node) -> None:
    assert cloud.info("cluster", **{option: "nothing"}) == []


def test_id_name_and_parent_narrow_together(cloud: Node) -> None:
    other = cloud.add("organization", name="Other")
    cloud.add("user", username="anna", organization_id=other)
    assert len(cloud.info("user", username="anna")) == 2
    assert len(cloud.info("user", username="anna", organization="Other")) == 1
    assert cloud.info("user", id=cloud.user, organization="Other") == []
    assert len(cloud.info("user", id=cloud.user, username="anna")) == 1


@pytest.mark.parametrize("option", ["organization", "datacenter"])
def test_a_parent_is_given_by_id_or_by_name(option: str, cloud: Node) -> None:
    cloud.add("cluster", name="far", organization_id="org-x", datacenter_id="dc-x")
    name = {"organization": "Example", "datacenter": "Berlin"}[option]
    for given in (getattr(cloud, option), name):
        assert [item["name"] for item in cloud.info("cluster", ["name"], **{option: given})] == [
            "main"
        ]


@EVERY_KIND
def test_an_unknown_parent_is_an_error(kind: str, cloud: Node) -> None:
    for parent in INFOS[kind].parents:
        for given in ("nothing", "", ids.new_id(KINDS[parent].spec.prefix)):
            with pytest.raises(NotFoundError):
                cloud.info(kind, **{parent: given})


def test_an_outer_parent_tells_inner_ones_of_a_name_apart(cloud: Node) -> None:
    other = cloud.add("organization", name="Other")
    far = cloud.add("datacenter", name="Berlin", organization_id=other)
    cloud.add("cluster", name="far", organization_id=other, datacenter_id=far)
    with pytest.raises(ConflictError, match="2 of that name exist"):
        cloud.info("cluster", datacenter="Berlin")
    found = cloud.info("cluster", ["name"], datacenter="Berlin", organization="Other")
    assert found == [{"name": "far"}]


def test_the_outermost_parent_tells_the_innermost_apart(cloud: Node) -> None:
    other = cloud.add("organization", name="Other")
    far = cloud.add("cluster", name="main", organization_id=other, datacenter_id="dc-x")
    cloud.add("node", name="far", organization_id=other, cluster_id=far)
    found = cloud.info("node", ["name"], cluster="main", organization="Other")
    assert found == [{"name": "far"}]


def test_the_node_tells_pools_of_a_name_apart(cloud: Node) -> None:
    cluster = cloud.add("cluster", name="far", organization_id="org-x", datacenter_id="dc-x")
    cloud.add("storage_pool", name="local", cluster_id=cluster)
    with pytest.raises(ConflictError, match="2 of that name exist"):
        cloud.info("volume", storage_pool="local")
    assert len(cloud.info("volume", ["id"], storage_pool="local", node="node1")) == 1


@pytest.mark.parametrize("name", ["'; DROP TABLE nodes; --", "../../etc", "<x>&amp;", "ä" * 1000])
def test_hostile_names_match_nothing(name: str, cloud: Node) -> None:
    assert cloud.info("instance", name=name) == []
    with pytest.raises(NotFoundError):
        cloud.info("instance", node=name)
