"""The command import-bundle.pyz, for sites without internet.

Needs Python 3.9 or newer and gpgv, nothing else. `pextra-mirror export` puts it beside each
bundle as one file, that is run with `python3 import-bundle.pyz --help`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pextra_mirror import console, interrupt
from pextra_mirror.bundle_import import import_bundle, repair, rollback, verify
from pextra_mirror.errors import Damaged, MirrorError, NotReady
from pextra_mirror.tree import KEEP, Tree

PROGRAM = "import-bundle"
DESCRIPTION = """\
Take signed bundles into a repository tree, go back to an earlier one, or have damage mended:
`verify` finds it, `repair` mends what it can and writes what is missing to a small file, which
`pextra-mirror export --for FILE` answers with a bundle. Needs Python 3.9 or newer and gpgv.
"""
EPILOG = """\
exit codes: 0 done, 1 another error, 2 wrong command line, 5 not enough disk space, 6 another
import works on the tree, 7 bundle refused, 8 what is served is damaged, 10 nothing is served yet,
129, 130 and 143 interrupted.
What is served after an error is what was served before; an import that was interrupted is simply
run again.
"""


def show(done: int, total: int) -> None:
    """Tell on a terminal how far it is."""
    if sys.stderr.isatty() and total:
        end = "\n" if done == total else ""
        console.tell(f"\r{done * 100 // total:3} % of {total / 1e6:.1f} MB", end)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tree", type=Path, required=True, help="folder of the repository")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    commands = parser.add_subparsers(dest="command", required=True)
    take = commands.add_parser("import", help="verify a bundle and serve it")
    take.add_argument("bundle", type=Path, help="the bundle, or its first part (.001)")
    take.add_argument("--keyring", type=Path, help="the mirror's public key; needed once, and "
                      "when it is another or was extended")  # fmt: skip
    take.add_argument("--keep", type=int, default=KEEP, help="publications to keep (%(default)s)")
    back = commands.add_parser("rollback", help="serve an earlier publication that is kept")
    back.add_argument("--to", type=int, help="its number; left out, the one before")
    commands.add_parser("status", help="which publications are there, and whether they are whole")
    commands.add_parser("verify", help="hash all that is served")
    mend = commands.add_parser("repair", help="mend what is damaged, or ask for what is missing")
    mend.add_argument("--request", type=Path, default=Path("repair-request.json"),
                      help="file to write what is missing to (%(default)s)")  # fmt: skip
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    console.prepare()
    wanted = arguments(argv)
    return interrupt.in_order(PROGRAM, lambda: told(wanted))


def told(wanted: argparse.Namespace) -> int:
    """Carry a command out and print what came of it; its exit code."""
    try:
        found = carry_out(Tree(wanted.tree), wanted)
        code = int(found.pop("exit_code", 0))
        text = found.pop("text")
        console.out(json.dumps(found) if wanted.json else text)
    except (MirrorError, OSError) as error:
        return console.fail(PROGRAM, error, as_json=wanted.json)
    return code


def carry_out(tree: Tree, wanted: argparse.Namespace) -> dict[str, Any]:
    """What a command comes to, as JSON has it, with ``text`` for people."""
    more: dict[str, Any] = {}
    lines = []
    if wanted.command == "import":
        listing, signer = import_bundle(
            tree, wanted.bundle, keyring=wanted.keyring, keep=max(1, wanted.keep), on_bytes=show
        )
        more = {"signed_by": signer, "mirror": listing.mirror}
        lines.append(f"signed by {signer}")
    elif wanted.command == "rollback":
        before, now = tree.current(), rollback(tree, wanted.to)
        if before is not None and now.sequence < before:
            console.tell(
                "apt keeps to a newer index that it has seen: on nodes that were updated "
                "since, remove /var/lib/apt/lists/* and run apt-get update"
            )
    elif wanted.command == "verify":
        more = {"files": verify(tree)}
        lines.append(f"{more['files']} files are as published")
    elif wanted.command == "repair":
        request, mended = repair(tree, wanted.request)
        more = {"mended": mended, "missing": len(request.files)}
        lines.append(f"{mended} files were mended" if mended or request.wanted
                     else "no file is damaged")  # fmt: skip
        if request.wanted:
            more |= {"request": str(wanted.request), "exit_code": Damaged.exit_code}
            lines.append(f"the rest is asked for in {wanted.request}: "
                         "`pextra-mirror export --for` answers it")  # fmt: skip
    current, kept = tree.current(), tree.sequences()
    found = {"current": current, "kept": kept, "tree": str(tree.root), **more}
    if current not in kept:
        found["exit_code"] = NotReady.exit_code
        return found | {"text": "\n".join([*lines, f"{tree.root}: nothing is served yet"])}
    if wanted.command == "status":
        bad = [entry.path for entry in tree.damaged(current)] + tree.astray(current)
        shut = tree.shut()
        found |= {"damaged": len(bad), "unreadable": len(shut),
                  "exit_code": Damaged.exit_code if bad or shut else 0}  # fmt: skip
        lines += [f"damaged: {path}" for path in bad[:5]]
        lines += [f"a web server cannot read {path}: `repair` mends it" for path in shut[:5]]
    if current is not None and kept[-1] > current:
        lines.append(f"publication {kept[-1]} is here too; `rollback --to {kept[-1]}` serves it")
    lines.append(
        f"{tree.root}: publication {current} is served, kept are {', '.join(map(str, kept))}"
    )
    return found | {"text": "\n".join(lines)}
