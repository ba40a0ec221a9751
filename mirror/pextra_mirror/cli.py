"""The command pextra-mirror."""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pextra_mirror import __version__, commands, console, identity, interrupt
from pextra_mirror.config import DEFAULT_PATH, load
from pextra_mirror.errors import MirrorError
from pextra_mirror.sync import FEWER, OLDER

PROGRAM = "pextra-mirror"
DESCRIPTION = """\
Mirror the platform's repository, and what its packages need from Debian, for sites without
internet. The order of things:

  pextra-mirror init                      write an example configuration: edit it
  pextra-mirror init                      the second time: make folders and the signing key
  pextra-mirror key > mirror.asc          the public key, for the nodes
  pextra-mirror sync --publish            fetch what is new and serve it (a timer runs this)
  pextra-mirror export --output /media/usb --since 12    what a full airgap lacks since 12

and in the airgap, with the file that the export puts beside the bundle:

  python3 import-bundle.pyz --tree /srv/mirror import BUNDLE --keyring mirror.asc

When something is wrong: `status` names it, `doctor` and `verify --repair` mend it.
"""
EPILOG = """\
exit codes:
  0   done, also if there was nothing to do
  1   an error of another kind        2   wrong command line or configuration
  3   source refused: wrong signature, expired, older than before, incomplete
  4   source not reached, or it broke off     5   not enough disk space
  6   another process works on the mirror     7   bundle refused
  8   what is served is damaged, or `doctor` found something that it did not mend
  9   gpg or another program failed
  10  not ready: never synced, the last sync failed, or no key to sign with
  129, 130, 143  interrupted; the next run goes on where this one was
"""


_Command = Callable[[str, str], argparse.ArgumentParser]
"""Declares a command by its name and what it does."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="pextra-mirror", description=DESCRIPTION, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    top.add_argument("--version", action="version", version=__version__)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, default=DEFAULT_PATH, help="default: %(default)s")
    common.add_argument("--json", action="store_true", help="print the result as JSON")
    common.add_argument("--quiet", action="store_true", help="no progress")
    common.add_argument(
        "--wait", type=float, default=0, metavar="SECONDS",
        help="how long to wait for another process that works on the mirror",
    )  # fmt: skip
    subs = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help: str) -> argparse.ArgumentParser:
        return subs.add_parser(name, help=help, description=help, parents=[common])

    one = command(
        "init",
        "write an example configuration; where there is one, make folders and the signing key",
    )
    one.add_argument(
        "--import-key",
        type=Path,
        metavar="FILE",
        help="take this secret key instead: what `gpg --export-secret-keys` wrote",
    )
    one = command("sync", "fetch what is new from the sources, and snapshot it")
    one.add_argument("source", nargs="*", help="only these sources")
    one.add_argument("--publish", action="store_true", help="serve it, if all succeeded")
    one.add_argument(
        "--accept", action="append", default=[], choices=(OLDER, FEWER),
        help="take this once: a Release older than the last, or one without most packages",
    )  # fmt: skip
    command("status", "what state everything is in; exit code 10 if it is not well")
    one = command("publish", "serve the last snapshots, if every source is complete")
    one.add_argument("--force", action="store_true", help="sign again what is served already")
    one = command("rollback", "serve again what an earlier publication had")
    one.add_argument("--to", type=int, metavar="N", help="its number; left out, the one before")
    _add_bundles(command)
    _add_care(command)
    return top


def _add_bundles(command: _Command) -> None:
    """Declare what is for sites without internet."""
    one = command("export", "write a signed bundle for a site without internet")
    one.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="made if missing")
    one.add_argument(
        "--since", default="", metavar="WHAT",
        help="leave out what this bundle, publication number or snapshot had",
    )  # fmt: skip
    one.add_argument(
        "--for", type=Path, dest="request", metavar="REQUEST",
        help="bring what a site asks for with `import-bundle.pyz repair`",
    )  # fmt: skip
    one.add_argument("--split", default="", metavar="SIZE", help="in parts, such as 4GiB for FAT32")
    one = command("import", "take a bundle into a tree, as import-bundle.pyz does")
    one.add_argument("bundle", type=Path, help="the bundle, or its first part (.001)")
    one.add_argument("--tree", type=Path, required=True, help="folder of the repository")
    one.add_argument("--keyring", type=Path, help="the mirror's public key; needed once, and "
                     "when it is another or was extended")  # fmt: skip


def _add_care(command: _Command) -> None:
    """Declare what looks at a mirror, mends and shows it."""
    one = command("verify", "hold every file that is served against its list and signature")
    one.add_argument("--repair", action="store_true", help="fetch again what is damaged")
    one = command("doctor", "name what is wrong with the mirror, and mend it")
    one.add_argument("--check", action="store_true", help="name it only")
    command("key", "print the public key that nodes and airgapped sites need")
    one = command("serve", "serve the tree over HTTP; for a try, nginx is better")
    one.add_argument(
        "--address", default="127.0.0.1", help="default: %(default)s, this machine only"
    )
    one.add_argument(
        "--port", type=port, default=8080, help="default: %(default)s; 0 for a free one"
    )


def port(text: str) -> int:
    """The number of a port.

    Raises:
        ValueError: It is none.
    """
    number = int(text)
    if not 0 <= number < 2**16:
        raise ValueError(f"{text} is no port")
    return number


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    console.prepare()
    # Lists of packages have no cycles; looking for some would take a tenth of a sync.
    gc.set_threshold(50_000)
    try:
        wanted = parser().parse_args(argv)
    except OSError as error:  # the help cannot be written
        return console.fail(PROGRAM, error, as_json=False)
    return interrupt.in_order(PROGRAM, lambda: carry_out(wanted))


def carry_out(wanted: argparse.Namespace) -> int:
    """Run the command of a command line; its exit code."""
    try:
        if wanted.command == "init":
            found = commands.init(wanted)
        elif wanted.command == "import":
            return commands.take(wanted)
        else:
            config = load(wanted.config)
            identity.check(config)
            found = getattr(commands, wanted.command)(config, wanted)
        show(found, as_json=wanted.json)
    except (MirrorError, OSError) as error:
        return console.fail(PROGRAM, error, as_json=wanted.json)
    return int(found.get("exit_code", 0))


def show(found: dict[str, Any], *, as_json: bool) -> None:
    """Print a result: its text for people, or the whole of it."""
    text = found.pop("text", "")
    if as_json:
        console.out(json.dumps({key: value for key, value in found.items() if key != "exit_code"}))
    elif text:
        console.out(text)


if __name__ == "__main__":
    sys.exit(main())
