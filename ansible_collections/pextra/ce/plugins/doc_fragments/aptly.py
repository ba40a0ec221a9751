# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules of aptly's have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Options, requirements, and what they support."""

    DOCUMENTATION = r"""
options:
  config:
    description: aptly's configuration file. Left out, aptly looks in its own places.
    type: path
  gnupg_home:
    description: Folder of the keys. Left out, gpg looks in its own place.
    type: path
requirements:
  - aptly >= 1.5 (Debian package aptly)
attributes:
  check_mode:
    description: Can run in check mode and say what a real run would do.
    support: full
  diff_mode:
    description: Shows what changes, before and after.
    support: full
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode, where it does the same.
    support: full
  diff_mode:
    description: Shows what changes, before and after; this module changes nothing.
    support: N/A
"""
