# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules have in common that list resources, and what those on a node add to it."""

from __future__ import annotations


class ModuleDocFragment:
    """Options and notes of modules that list the resources of a kind."""

    DOCUMENTATION = r"""
options:
  id:
    description:
      - Only the one with this identifier.
    type: str
notes:
  - Whatever is left out does not narrow the list. What is given narrows it together.
  - Where nothing matches, the list is empty and the task succeeds. A parent that does not exist, or
    whose name means several, is an error.
  - Reading takes one query for each kind that a returned field looks at, however many resources
    there are, in a transaction that cannot write.
"""

    # For resources that something on the node realises.
    HOST = r"""
options: {}
notes:
  - Run it on the node as V(root) for what only the node can tell. Run elsewhere, or for resources
    of other nodes, such fields are V(null); their descriptions say so.
  - The machine is looked at only for fields that need it, and in bulk.
"""
