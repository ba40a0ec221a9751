"""Run as ``python3 -m pextra_mirror``."""

from __future__ import annotations

import signal
import sys

# Until the command begins, nothing is to be put in order.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from pextra_mirror.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
