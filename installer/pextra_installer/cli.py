"""The command pextra-installer. What a command needs is imported when it is asked for.

Exit codes: 0 done; 1 it failed; 2 wrong usage; 3 the answers cannot be used; 4 not exactly one
disk is what they ask for, or it is too small; 5 the machine lacks something or cannot be read;
6 the installation did not finish.
"""

from __future__ import annotations

import argparse
import getpass
import os
import pathlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pextra.model.errors import PextraError
from pextra_installer.problems import InstallerError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]
    from pextra_installer.answers.sources import Found
    from pextra_installer.plan import Plan

UNFINISHED = 6


def _validate(arguments: argparse.Namespace) -> int:
    from pextra.licensing.trust import TrustStore
    from pextra_installer import licensing, preview
    from pextra_installer.advice import password_warnings, warnings
    from pextra_installer.answers import files
    from pextra_installer.hardware import model

    folder = arguments.license_keys
    if folder is not None and not folder.is_dir():
        raise InstallerError(f"there is no directory {folder}", "It holds the signers' .pem files")
    # Which medium will be used is not known here.
    signers = TrustStore.load(folder) if folder is not None else licensing.here()
    known = signers if folder is not None or signers.keys else None
    look = licensing.LicenseCheck.today(known)
    plan = files.read(arguments.file, look)
    print(f"{arguments.file}: the answers are complete and consistent")
    told = (*look.unchecked(plan), *password_warnings(plan))
    lines = [f"warning: {warning}" for warning in told]
    if arguments.hardware is None:
        lines += [f"warning: {warning}" for warning in warnings(plan)]
    else:
        target = preview.target_of(plan, model.read(arguments.hardware))
        lines += preview.lines(plan, target)
    for line in lines:
        print(line)
    return 0


def _probe(arguments: argparse.Namespace) -> int:
    from pextra_installer.hardware import model
    from pextra_installer.hardware.probe import probe

    text = model.to_json(probe())
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        arguments.output.write_text(text, encoding="utf-8")
    return 0


def _install(arguments: argparse.Namespace) -> int:
    from pextra_installer import licensing
    from pextra_installer.answers import files

    look = licensing.LicenseCheck.today(licensing.here())
    _execute(files.read(arguments.answers, look), arguments)
    return 0


def _wizard(arguments: argparse.Namespace) -> int:
    from pextra_installer import licensing, plain
    from pextra_installer.hardware.probe import probe
    from pextra_installer.image import find_image
    from pextra_installer.session import Session

    if sys.stdin.isatty():
        _give_way(arguments)
    session = Session(probe(), find_image(arguments.image), arguments.state, licensing.here())
    if arguments.plain or not _can_draw():
        return plain.run(session)
    from pextra_installer.wizard.app import Wizard

    code = Wizard(session).run()
    return UNFINISHED if code is None else code


def _give_way(arguments: argparse.Namespace) -> None:
    """Install by answers that are there, unless somebody presses a key."""
    from pextra_installer import countdown
    from pextra_installer.answers import sources
    from pextra_installer.hardware.probe import read_disks

    try:
        found = sources.attached()
        if found is None or countdown.is_node(read_disks()):
            return
        if not countdown.run_out(found.source, arguments.state):
            return
        _by_answers(found, arguments)
    except InstallerError as error:
        print(f"pextra-installer: {error}", file=sys.stderr)
        input("Press Enter for the wizard. ")


def _can_draw() -> bool:
    """Whether a full screen can be shown where this runs: Textual draws on standard error."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    dumb = os.environ.get("TERM", "dumb") in ("", "dumb", "unknown")
    return not dumb and all(stream.isatty() for stream in streams)


def _auto(arguments: argparse.Namespace) -> int:
    from pextra_installer.answers import sources

    found = sources.find()
    if found is None:
        raise InstallerError(
            "there are no answers", "Give pextra.answers=URL, or a volume PEXTRA-ANSWERS"
        )
    _by_answers(found, arguments)
    return 0


def _by_answers(found: Found, arguments: argparse.Namespace) -> None:
    from pextra_installer import licensing
    from pextra_installer.session import leave

    plan = found.plan(licensing.LicenseCheck.today(licensing.here()))
    print(f"answers: {found.source}", flush=True)
    _execute(plan, arguments)
    leave(plan.when_done)


def _execute(plan: Plan, arguments: argparse.Namespace) -> None:
    from pextra_installer import licensing, plain, preview
    from pextra_installer.hardware.probe import probe
    from pextra_installer.image import find_image
    from pextra_installer.session import Session

    session = Session(probe(), find_image(arguments.image), arguments.state, licensing.here())
    target = preview.target_of(plan, session.hardware)
    print("\n".join(preview.lines(plan, target)), flush=True)
    if not getattr(arguments, "yes", True) and input("Type 'erase' to go on: ") != "erase":
        raise InstallerError("nothing was changed")
    session.install(plan, plain.tell)
    plain.tell_end(session, plan)


def _first_boot(_arguments: argparse.Namespace) -> int:
    from pextra_installer import first_boot

    first_boot.run()
    return 0


def _license(_arguments: argparse.Namespace) -> int:
    from pextra_installer import license_prompt

    license_prompt.run()
    return 0


def _schema(_arguments: argparse.Namespace) -> int:
    from pextra_installer.answers.schema import schema_text

    sys.stdout.write(schema_text())
    return 0


def _hash_password(_arguments: argparse.Namespace) -> int:
    from pextra.kinds.user import passwords
    from pextra_installer.secrets import crypt_hash

    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            raise InstallerError("the two are not the same")
    else:
        password = sys.stdin.readline().rstrip("\n")
    print(f"password_hash: {passwords.hash_password(password)}")
    print(f"root_password_hash: {crypt_hash(password)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pextra-installer",
        description="Install a node of Pextra CloudEnvironment.",
        epilog=__doc__.partition("\n\n")[2] if __doc__ else None,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    validate = commands.add_parser("validate", help="check an answer file; changes nothing")
    validate.add_argument("file", type=pathlib.Path, help="answer file, .yaml or .toml")
    validate.add_argument(
        "--hardware",
        type=pathlib.Path,
        metavar="PROBE.json",
        help="show what would be erased on the machine that this file records",
    )
    validate.add_argument(
        "--license-keys",
        type=pathlib.Path,
        metavar="DIRECTORY",
        help="public keys (.pem) of the signers that the medium trusts: check the licence key by "
        "them",
    )
    validate.set_defaults(run=_validate)

    probe = commands.add_parser("probe", help="write down this machine's hardware")
    probe.add_argument("--output", type=pathlib.Path, help="file, standard output unless given")
    probe.set_defaults(run=_probe)

    install = commands.add_parser("install", help="install as an answer file says")
    install.add_argument("--answers", type=pathlib.Path, required=True, metavar="FILE")
    install.add_argument("--yes", action="store_true", help="erase the disk without asking")
    _on_medium(install)
    install.set_defaults(run=_install)

    wizard = commands.add_parser("wizard", help="ask, then install")
    wizard.add_argument("--plain", action="store_true", help="ask line by line")
    _on_medium(wizard)
    wizard.set_defaults(run=_wizard)

    auto = commands.add_parser("auto", help="find the answers, and install without asking")
    auto.add_argument(
        "--consoles", action="store_true", help="tell everything on every console of the kernel too"
    )
    _on_medium(auto)
    auto.set_defaults(run=_auto)

    _on_nodes(commands)
    return parser


def _on_nodes(commands: Commands) -> None:
    """What is run on an installed node, or anywhere."""
    schema = commands.add_parser("schema", help="print the JSON schema of answer files")
    schema.set_defaults(run=_schema)

    booting = commands.add_parser("first-boot", help="make an installed node's cloud")
    booting.set_defaults(run=_first_boot)

    prompt = commands.add_parser("license", help="ask for a licence key, and set it on this node")
    prompt.set_defaults(run=_license)

    hashing = commands.add_parser(
        "hash-password", help="make the two hashes of a password, for an answer file"
    )
    hashing.set_defaults(run=_hash_password)


def _on_medium(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--image", type=pathlib.Path, help="squashfs, with FILE.sha256 beside it")
    parser.add_argument(
        "--state",
        type=pathlib.Path,
        default=pathlib.Path("/run/pextra-installer"),
        help="directory for notes and logs (%(default)s)",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is the module's first lines."""
    arguments = _parser().parse_args(argv)
    if not getattr(arguments, "consoles", False):
        return _run(arguments)
    from pextra_installer import consoles

    with consoles.everywhere():
        return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    try:
        code: int = arguments.run(arguments)
    except InstallerError as error:
        print(f"pextra-installer: {error}", file=sys.stderr)
        return error.code
    except (KeyboardInterrupt, EOFError):
        print("\npextra-installer: stopped", file=sys.stderr)
        return UNFINISHED
    except PextraError as error:
        print(f"pextra-installer: {error}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
