# SPDX-License-Identifier: Apache-2.0
"""Whether a cluster's licences are in order, and what they entitle it to. Pure.

A cluster complies when every node has a valid licence and all are of one edition; with mixed
editions the lowest is in force, and a node without a valid licence counts as the lowest of all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict

from pextra.licensing.token import Edition, License
from pextra.model.units import format_time


class Feature(StrEnum):
    """What not every edition has."""

    IAM_ABAC_RULES = "IAM_ABAC_RULES"
    MULTI_TENANCY = "MULTI_TENANCY"
    MULTI_DATACENTER = "MULTI_DATACENTER"
    MULTI_CLUSTER = "MULTI_CLUSTER"


class ClusterStatus(StrEnum):
    """Whether a cluster complies."""

    COMPLIANT = "compliant"
    NONCOMPLIANT = "noncompliant"


class ClusterReport(TypedDict):
    """A cluster's part of `Compliance.as_dict`."""

    status: str
    next_expiry: str | None


class NodeReport(TypedDict):
    """A node's part of `Compliance.as_dict`."""

    ok: bool
    expiry: str | None


class ComplianceReport(TypedDict):
    """The platform's shape of a cluster's licensing, and what is in force."""

    cluster: ClusterReport
    nodes: dict[str, NodeReport]
    edition: str
    features: list[str]
    problems: list[str]


@dataclass(frozen=True, slots=True)
class NodeCompliance:
    """One node: whether its licence is valid now, and when it ends, also if that has passed."""

    ok: bool
    expiry: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Compliance:
    """A cluster's licensing.

    Attributes:
        status: Whether the cluster complies.
        next_expiry: When the first of the valid licences ends; None without any.
        edition: The edition in force.
        features: What that edition has, sorted by name.
        nodes: By node id.
        problems: Why the cluster does not comply; empty when it does.
    """

    status: ClusterStatus
    next_expiry: dt.datetime | None
    edition: Edition
    features: tuple[Feature, ...]
    nodes: Mapping[str, NodeCompliance]
    problems: tuple[str, ...]

    def as_dict(self) -> ComplianceReport:
        """The report for a task's result; times as ISO 8601 in UTC."""
        return {
            "cluster": {"status": self.status.value, "next_expiry": _time(self.next_expiry)},
            "nodes": {
                name: {"ok": node.ok, "expiry": _time(node.expiry)}
                for name, node in self.nodes.items()
            },
            "edition": self.edition.value,
            "features": [feature.value for feature in self.features],
            "problems": list(self.problems),
        }


def features_of(edition: Edition) -> tuple[Feature, ...]:
    """The features of an edition, sorted by name."""
    if edition is not Edition.ENTERPRISE:
        return ()
    return tuple(sorted(Feature, key=lambda feature: feature.value))


def compliance(licenses: Mapping[str, License | None], now: dt.datetime) -> Compliance:
    """Judge a cluster.

    Args:
        licenses: Of each node by its id the licence that was **authenticated** when it was set on
            that node (a node's own evaluation key is trusted there alone), or None.
        now: A moment with a time zone.
    """
    nodes: dict[str, NodeCompliance] = {}
    valid: list[License] = []
    problems: list[str] = []
    for node in sorted(licenses):
        license = licenses[node]
        problem = _problem(license, now)
        nodes[node] = NodeCompliance(problem is None, license.expires_at if license else None)
        if problem is not None:
            problems.append(f"{node} {problem}")
        elif license is not None:
            valid.append(license)
    editions = sorted({license.edition for license in valid}, key=lambda edition: edition.rank)
    if len(editions) > 1:
        problems.append(f"the editions are mixed: {', '.join(item.value for item in editions)}")
    if not nodes:
        problems.append("the cluster has no node")
    licensed = bool(nodes) and len(valid) == len(nodes)
    in_force = editions[0] if licensed else Edition.COMMUNITY
    return Compliance(
        status=ClusterStatus.NONCOMPLIANT if problems else ClusterStatus.COMPLIANT,
        next_expiry=min((license.expires_at for license in valid), default=None),
        edition=in_force,
        features=features_of(in_force),
        nodes=nodes,
        problems=tuple(problems),
    )


def _problem(license: License | None, now: dt.datetime) -> str | None:
    if license is None:
        return "has no licence"
    if now >= license.expires_at:
        return f"has a licence that expired at {format_time(license.expires_at)}"
    if now < license.not_before:
        return f"has a licence that is valid only from {format_time(license.not_before)}"
    return None


def _time(moment: dt.datetime | None) -> str | None:
    return None if moment is None else format_time(moment)
