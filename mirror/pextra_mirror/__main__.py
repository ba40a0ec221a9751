"""Run as ``python3 -m pextra_mirror``."""

from __future__ import annotations

import sys

from pextra_mirror.cli import main

if __name__ == "__main__":
    sys.exit(main())
