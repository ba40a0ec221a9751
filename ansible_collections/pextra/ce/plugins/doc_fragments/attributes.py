# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules support: check mode, diff mode, the action group."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of modules that change something, and of those that only read."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in check mode and say what a real run would do.
    details:
      - Check mode makes the same plan as a real run and stops before the first change. It also
        refuses what a real run would refuse.
      - Ids and times that only a real run makes are shown as C((known after apply)).
    support: full
  diff_mode:
    description: Shows what changes, before and after.
    details: There is one difference for each step of the plan. Secrets are masked.
    support: full
  action_group:
    description: Takes defaults from C(module_defaults) for the group.
    membership: [pextra.ce.all]
    support: full
"""

    INFO = r"""
attributes:
  check_mode:
    description: Can run in check mode, where it does the same.
    support: full
  diff_mode:
    description: Shows what changes, before and after; this module changes nothing.
    support: N/A
  action_group:
    description: Takes defaults from C(module_defaults) for the group.
    membership: [pextra.ce.all]
    support: full
"""
