# SPDX-License-Identifier: Apache-2.0
"""What is returned of a cluster: its nodes taken together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pextra.kinds.info import Computed, Info, count_of
from pextra.kinds.node_license.view import license_of
from pextra.kinds.view import View
from pextra.licensing.compliance import ComplianceReport, compliance
from pextra.model import kinds
from pextra.model.returned import Returned
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.model.rows import ClusterRow, NodeRow


def _nodes(row: ClusterRow, view: View) -> list[NodeRow]:
    return view.by(kinds.NODE, "cluster_id", row["id"])


def _hardware(row: ClusterRow, view: View) -> Document:
    known = [node["hardware"] for node in _nodes(row, view)]
    machines = [hardware for hardware in known if hardware]
    disks = sum(disk["size"] for hardware in machines for disk in hardware["disks"])
    return {
        "vcpus": sum(hardware["vcpus"] for hardware in machines),
        "memory_gb": round(sum((hardware["memory_gb"] for hardware in machines), 0.0), 1),
        "storage_gb": round(disks / 10**9, 1),
        "partial": len(machines) < len(known),
    }


def _compliance(row: ClusterRow, view: View) -> ComplianceReport:
    licenses = {node["id"]: license_of(node["id"], view) for node in _nodes(row, view)}
    return compliance(licenses, view.now).as_dict()


def _licensing(row: ClusterRow, view: View) -> dict[str, Any]:
    report = _compliance(row, view)
    return {key: report[key] for key in ("cluster", "nodes", "problems")}


CLUSTER = Info(
    kind=kinds.CLUSTER,
    plural="clusters",
    parents=(kinds.ORGANIZATION, kinds.DATACENTER),
    computed={
        "node_count": Computed(
            count_of(kinds.NODE, "cluster_id"), Returned("How many nodes it has.", "int", sample=3)
        ),
        "standalone": Computed(
            lambda row, view: len(_nodes(row, view)) == 1,
            Returned("Whether it has one node only.", "bool", sample=False),
        ),
        "fault_tolerance": Computed(
            lambda row, view: max(0, len(_nodes(row, view)) - 1) // 2,
            Returned(
                "How many nodes may fail while the others are still a majority.", "int", sample=1
            ),
        ),
        # Nodes are equals here: the database coordinates, whichever node a run is on.
        "has_leader": Computed(
            lambda _row, _view: False,
            Returned(
                "Whether one of the nodes leads the others. Always V(false), nodes are equals.",
                "bool",
                sample=False,
            ),
        ),
        "leader_id": Computed(
            lambda _row, _view: None, Returned("Identifier of the node that leads. Always V(null).")
        ),
        "hardware": Computed(
            _hardware,
            Returned(
                "What the nodes have together.",
                "dict",
                contains={
                    "vcpus": Returned("Hardware threads.", "int", sample=24),
                    "memory_gb": Returned("Memory in GB of 2^30 bytes.", "float", sample=94.2),
                    "storage_gb": Returned(
                        "Whole disks, in GB of 10^9 bytes.", "float", sample=5760.6
                    ),
                    "partial": Returned(
                        "Whether some node has not said what it has, so that it is not counted.",
                        "bool",
                        sample=False,
                    ),
                },
            ),
        ),
        "licensing": Computed(
            _licensing,
            Returned(
                "Whether the cluster complies. It does when every node has a valid licence and all"
                " are of one edition.",
                "dict",
                contains={
                    "cluster": Returned(
                        "The cluster as a whole.",
                        "dict",
                        contains={
                            "status": Returned(
                                "V(compliant) or V(noncompliant).", sample="compliant"
                            ),
                            "next_expiry": Returned(
                                "When the first of the valid licences ends, in UTC, V(null)"
                                " without any.",
                                sample="2026-01-31T12:00:00Z",
                            ),
                        },
                    ),
                    "nodes": Returned(
                        "By identifiers of the nodes, whether the licence is valid now (C(ok)) and"
                        " when it ends or ended (C(expiry), V(null) without one).",
                        "dict",
                        sample={
                            "node-VF6lOEYQA-_cjIHCRFMbA": {
                                "ok": True,
                                "expiry": "2026-01-31T12:00:00Z",
                            }
                        },
                    ),
                    "problems": Returned(
                        "Why the cluster does not comply, empty if it does.",
                        "list",
                        elements="str",
                        sample=[],
                    ),
                },
            ),
        ),
        "edition": Computed(
            lambda row, view: _compliance(row, view)["edition"],
            Returned(
                "The edition in force, V(community), V(evaluation), V(standard) or V(enterprise)."
                " Of mixed editions it is the lowest, with an unlicensed node V(community).",
                sample="standard",
            ),
        ),
        "features": Computed(
            lambda row, view: _compliance(row, view)["features"],
            Returned(
                "What the edition in force has beyond the others.",
                "list",
                elements="str",
                sample=[],
            ),
        ),
    },
)
