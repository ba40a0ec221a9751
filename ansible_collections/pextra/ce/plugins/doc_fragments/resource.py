# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules of the engine have in common, and what those on a node add to it."""

from __future__ import annotations


class ModuleDocFragment:
    """Options and notes of modules that manage a resource."""

    DOCUMENTATION = r"""
options:
  id:
    description:
      - Identifier of an existing resource, as this module and its C(_info) twin return it.
      - It finds the resource whatever its name is, so that a changed name renames it where the
        name can be changed.
    type: str
notes:
  - An option that is left out is neither compared nor changed. V(null) counts as left out, except
    where the option's description says that it clears the value.
  - A change is all or nothing in the store, with an audit row (who, from where, what, before,
    after) in the same transaction.
  - What is asked is checked as a whole before the first change. A task that fails because of its
    options has changed nothing.
seealso:
  - module: pextra.ce.apply
    description: Any number of resources of any kinds in one task.
"""

    # For resources that something on the node realises.
    HOST = r"""
options: {}
notes:
  - Run it on the node itself, as V(root).
  - It can be interrupted at any point. Names and ids are claimed in the store first, then the host
    is changed, then the resource counts as ready; the next run of the same task finishes what is
    missing.
  - What should be on the node and is not, or is there otherwise, is made right again and reported
    as a change. What others made on the node is never touched; where such a thing has the name,
    the task fails.
  - Changes of one node wait for each other, for 15 minutes at most.
"""
