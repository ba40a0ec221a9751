# SPDX-License-Identifier: Apache-2.0
"""What is returned of a cluster: its nodes taken together."""

from __future__ import annotations

from typing import Any

from pextra.kinds.info import Info, count_of
from pextra.kinds.node_license.view import license_of
from pextra.kinds.view import View
from pextra.licensing.compliance import ComplianceReport, compliance
from pextra.model.fields import Row


def _nodes(row: Row, view: View) -> list[Row]:
    return view.by("node", "cluster_id", row["id"])


def _hardware(row: Row, view: View) -> dict[str, Any]:
    known = [node["hardware"] for node in _nodes(row, view)]
    facts = [hardware for hardware in known if hardware]
    disks = sum(disk["size"] for hardware in facts for disk in hardware["disks"])
    return {
        "vcpus": sum(hardware["vcpus"] for hardware in facts),
        "memory_gb": round(sum((hardware["memory_gb"] for hardware in facts), 0.0), 1),
        "storage_gb": round(disks / 10**9, 1),
        "partial": len(facts) < len(known),
    }


def _compliance(row: Row, view: View) -> ComplianceReport:
    licenses = {node["id"]: license_of(node["id"], view) for node in _nodes(row, view)}
    return compliance(licenses, view.now).as_dict()


def _licensing(row: Row, view: View) -> dict[str, Any]:
    report = _compliance(row, view)
    return {key: report[key] for key in ("cluster", "nodes", "problems")}


CLUSTER = Info(
    kind="cluster",
    plural="clusters",
    columns=("id", "organization_id", "datacenter_id", "name", "description", "creation"),
    parents=("organization", "datacenter"),
    computed={
        "node_count": count_of("node", "cluster_id"),
        "standalone": lambda row, view: len(_nodes(row, view)) == 1,
        "fault_tolerance": lambda row, view: max(0, len(_nodes(row, view)) - 1) // 2,
        # Nodes are equals here: the database coordinates, whichever node a run is on.
        "has_leader": lambda _row, _view: False,
        "leader_id": lambda _row, _view: None,
        "hardware": _hardware,
        "licensing": _licensing,
        "edition": lambda row, view: _compliance(row, view)["edition"],
        "features": lambda row, view: _compliance(row, view)["features"],
    },
)
