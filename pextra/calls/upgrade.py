# SPDX-License-Identifier: Apache-2.0
"""What an upgrade of this machine would do, and what it would leave to restart."""

from __future__ import annotations

import dataclasses

from pextra.calls.call import Answer, Call, Procedure, options, plain
from pextra.host.upgrade import packages, restarts
from pextra.model.fields import Field

FIELDS = (
    Field("refresh", "bool", default=False),
    Field("packages", "bool", default=True),
    Field("restarts", "bool", default=True),
)


def _look(call: Call) -> Answer:
    given = options(FIELDS, call.given, "upgrade_info")
    empty = packages.Simulation((), ())
    simulation = _simulation(refresh=given["refresh"]) if given["packages"] else empty
    running = restarts.look() if given["restarts"] else None
    return {
        "changed": False,
        "packages": [change.as_dict() for change in simulation.changes],
        "kept_back": list(simulation.kept_back),
        "unfinished": packages.unfinished(),
        "restarts": plain(dataclasses.asdict(running)) if running else None,
        "reboot_reasons": restarts.reboot_reasons(running),
        "outdated_instances": restarts.outdated_instances(),
    }


def _simulation(*, refresh: bool) -> packages.Simulation:
    if not refresh:
        return packages.simulate()
    with packages.fresh_lists() as lists:
        return packages.simulate(lists)


PROCEDURES = (Procedure("upgrade_info", FIELDS, _look, uses_store=False),)
