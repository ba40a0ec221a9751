# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole of the module ``upgrade_info``."""

from __future__ import annotations

import dataclasses
from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils.errors import PextraError
from ansible_collections.pextra.ce.plugins.module_utils.module import Module, plain
from ansible_collections.pextra.ce.plugins.module_utils.upgrade import packages, restarts


def run_upgrade_info() -> None:
    """The whole of the module ``upgrade_info``."""
    flags = {"refresh": False, "packages": True, "restarts": True}
    spec = {name: {"type": "bool", "default": value} for name, value in flags.items()}
    module = Module(argument_spec=spec, supports_check_mode=True)
    options = module.params
    try:
        simulation = _simulation(options) if options["packages"] else packages.Simulation((), ())
        running = restarts.look() if options["restarts"] else None
        found: dict[str, Any] = {
            "packages": [change.as_dict() for change in simulation.changes],
            "kept_back": list(simulation.kept_back),
            "unfinished": packages.unfinished(),
            "restarts": plain(dataclasses.asdict(running)) if running else None,
            "reboot_reasons": restarts.reboot_reasons(running),
            "outdated_instances": restarts.outdated_instances(),
        }
    except PextraError as error:
        module.fail(error)
    module.exit_json(changed=False, **found)


def _simulation(options: dict[str, Any]) -> packages.Simulation:
    if not options["refresh"]:
        return packages.simulate()
    with packages.fresh_lists() as lists:
        return packages.simulate(lists)
