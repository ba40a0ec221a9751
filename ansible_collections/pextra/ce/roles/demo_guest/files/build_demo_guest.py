# Copyright: pextra-ce contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the demo guest's ISO: `python3 build_demo_guest.py --help`."""

from __future__ import annotations

import sys

from pextra_demo_guest.cli import main

if __name__ == "__main__":
    sys.exit(main())
