"""Take the pictures of the wizard: `make screenshots`.

With --check nothing is written: it fails where a screen's text is not the one in its picture.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

from screenshots import gallery


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare the texts")
    parser.add_argument("--folder", type=pathlib.Path, default=gallery.FOLDER)
    arguments = parser.parse_args()
    if not arguments.check:
        gallery.take(arguments.folder)
        return 0
    found = gallery.differences(arguments.folder)
    print("\n".join(found) or "the pictures show what the wizard shows")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
