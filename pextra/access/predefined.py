# SPDX-License-Identifier: Apache-2.0
"""The roles that each organization has from the beginning, with a policy each; users can copy them.

They only allow: a denying statement in one would bind whoever also has another. None of them
reaches what is not of the organization, whatever its patterns say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pextra.access.statements import Effect, Policy, Statement, stored_statements
from pextra.model import kinds
from pextra.model.ids import LENGTH

if TYPE_CHECKING:
    from pextra.model.rows import PolicyRow

_TREE = (kinds.ORGANIZATION, kinds.DATACENTER, kinds.CLUSTER, kinds.NODE)
"""What the web interface needs to show anything."""
_ACCESS = (kinds.USER, kinds.ROLE, kinds.POLICY)
_MACHINES = (kinds.INSTANCE, kinds.INSTANCE_SNAPSHOT)
_VOLUMES = (kinds.VOLUME, kinds.VOLUME_SNAPSHOT)
_NETWORK = (kinds.VSWITCH, kinds.PORT_GROUP)
_EVERYTHING = (
    *_TREE, kinds.NODE_LICENSE, *_ACCESS, kinds.AI_PROVIDER, *_MACHINES, kinds.STORAGE_POOL,
    *_VOLUMES, *_NETWORK,
)  # fmt: skip
_HARDWARE = (
    "cluster.events.stream",
    "cluster.hardware.read",
    "cluster.licensing.read",
    "node.hardware.read",
    "node.network.read",
    "node.updates.read",
)


def _seen(*names: str) -> tuple[str, ...]:
    """The actions that look at kinds."""
    return tuple(f"{name}.{verb}" for name in names for verb in ("list", "read"))


def _all(*names: str) -> tuple[str, ...]:
    """All actions of kinds."""
    return tuple(f"{name}.*" for name in names)


_VIEWED = (*_seen(*_EVERYTHING), *_HARDWARE)
_ALLOWED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "administrator": ("Everything in the organization", ("*",)),
    "operator": (
        "Runs machines with their volumes, and sees the rest",
        (*_VIEWED, *_all(*_MACHINES, *_VOLUMES)),
    ),
    "viewer": ("Sees everything but secrets and the audit log, and changes nothing", _VIEWED),
    "network": (
        "Virtual switches and port groups",
        (*_seen(*_TREE, kinds.INSTANCE), "node.network.read", *_all(*_NETWORK)),
    ),
    "storage": (
        "Storage pools, volumes and their snapshots",
        (
            *_seen(*_TREE, kinds.INSTANCE),
            "node.hardware.read",
            *_all(kinds.STORAGE_POOL, *_VOLUMES),
        ),
    ),
    "auditor": (
        "Sees what a viewer sees, the audit log, and what policies decide",
        (*_VIEWED, "organization.audit.*", "organization.lockouts.list", "policy.test"),
    ),
}

POLICIES: Mapping[str, Policy] = {
    name: Policy(name, (Statement(Effect.ALLOW, actions, ("*",)),), description=doc)
    for name, (doc, actions) in _ALLOWED.items()
}
"""The policies, by the names of the roles that have them."""


def role_id(name: str) -> str:
    """The identifier of a predefined role, the same everywhere: it belongs to no organization."""
    return f"iamrole-{name:_<{LENGTH}}"


def policy_id(name: str) -> str:
    """The identifier of its policy."""
    return f"iampol-{name:_<{LENGTH}}"


ROLE_IDS: Mapping[str, str] = {name: role_id(name) for name in POLICIES}
"""The identifiers of the predefined roles by their names."""
POLICY_IDS: Mapping[str, str] = {name: policy_id(name) for name in POLICIES}
"""The identifiers of their policies, by the same names."""


def policy_of(row: PolicyRow) -> Policy:
    """A policy of the store; the statements of a predefined one are this program's."""
    if row["organization_id"] is None:
        return POLICIES[row["name"]]
    statements = stored_statements(row["statements"])
    return Policy(row["name"], statements, row["enabled"], row["description"])
