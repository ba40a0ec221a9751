# SPDX-License-Identifier: Apache-2.0
"""What not every edition has: asked for when something is made that needs it."""

from __future__ import annotations

import datetime as dt

from pextra.engine.world import World
from pextra.kinds.node_license.stored import license_of_row
from pextra.licensing.compliance import Compliance, Feature, compliance
from pextra.licensing.errors import FeatureError
from pextra.model import kinds


def require(feature: Feature, world: World, resource: str) -> None:
    """See that the edition in force has a feature: that of the cluster of this machine.

    What exists already is served whatever the edition is: call it for what is new alone.

    Raises:
        FeatureError: It has not.
    """
    found = in_force(world)
    if feature in found.features:
        return
    why = f" ({'; '.join(found.problems[:3])})" if found.problems else ""
    raise FeatureError(
        f"it needs {feature.value}, which the edition in force here, {found.edition.value}, does"
        f" not have{why}",
        resource=resource,
        hint="Set a licence of an edition that has it on every node of the cluster, with"
        " node_license. What exists already is kept and goes on to work",
    )


def in_force(world: World) -> Compliance:
    """How the cluster of this machine is licensed; two reads, however many nodes it has."""
    here = world.get(kinds.NODE, world.here)
    nodes = world.by(kinds.NODE, "cluster_id", here["cluster_id"]) if here is not None else []
    world.announce(kinds.NODE_LICENSE, (node["id"] for node in nodes))
    licenses = {node["id"]: world.by(kinds.NODE_LICENSE, "node_id", node["id"]) for node in nodes}
    return compliance(
        {id: license_of_row(rows[0]) if rows else None for id, rows in licenses.items()},
        dt.datetime.now(dt.UTC),
    )
