"""``python -m pextra_installer`` is the command."""

import sys

from pextra_installer.cli import main

sys.exit(main())
