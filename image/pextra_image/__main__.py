# SPDX-License-Identifier: Apache-2.0
"""`python -m pextra_image`: the command pextra-image."""

import sys

from pextra_image.cli import main

sys.exit(main())
