# SPDX-License-Identifier: Apache-2.0
"""The command pextra-image."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pextra_image import build, media
from pextra_image.architecture import ARCHITECTURES
from pextra_image.run import ImageError, Programs
from pextra_image.settings import ROOT, Settings
from pextra_image.steps import Screen, alone

EXAMPLES = """\
examples:
  pextra-image build                                           makes dist/pextra-ce.iso
  pextra-image verify dist/pextra-ce.iso --key dist/pextra-gpg-key.asc
  pextra-image write dist/pextra-ce.iso /dev/sdX
  pextra-image boot-test dist/pextra-ce.iso --firmware secureboot --attach usb
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, do what it says; 1 if it could not be done."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.command(arguments)
    except ImageError as error:
        print(f"pextra-image: {error}", file=sys.stderr)
        log = getattr(arguments, "log_file", None)
        if log is not None and log.exists():
            print(f"pextra-image: the full log is {log}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("pextra-image: interrupted", file=sys.stderr)
        return 130
    return code


def _settings(arguments: argparse.Namespace) -> Settings:
    arguments.log_file = arguments.cache / "logs" / f"{arguments.action}.log"
    arguments.log_file.unlink(missing_ok=True)
    return Settings(
        root=ROOT,
        cache=arguments.cache.resolve(),
        output=arguments.output.resolve(),
        architecture=ARCHITECTURES[arguments.arch],
        sign_key=arguments.sign_key,
        mirrors=tuple(arguments.mirror),
        programs=Programs(arguments.log_file),
        screen=Screen(),
        answers=getattr(arguments, "answers", None),
        license_keys=tuple(getattr(arguments, "license_key", ())),
        locked=getattr(arguments, "locked", False),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pextra-image",
        description="Make, check and write the medium that installs nodes of Pextra "
        "CloudEnvironment, and make this tree's Debian packages.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True)
    made: list[tuple[str, str, str, Callable[[Settings], Path]]] = [
        ("build", "make the ISO and what lies beside it",
         "Steps whose inputs did not change since an earlier build are reused.", build.iso),
        ("packages", "make Debian packages and a signed apt repository",
         "The repository is OUTPUT/apt, for bookworm.", build.packages),
        ("lock", "pin the Debian packages of the ISO anew",
         "Takes the newest ones that the mirrors have, into image/lock.", build.lock_packages),
    ]  # fmt: skip
    for name, purpose, more, make in made:
        action = actions.add_parser(name, help=purpose, description=f"{_sentence(purpose)} {more}")
        _add_build_options(action)
        if make is build.iso:
            action.add_argument(
                "--locked", action="store_true",
                help="fail where Debian has replaced a locked package; else the newest ones are "
                "locked, and shown",
            )  # fmt: skip
            action.add_argument(
                "--answers", type=Path, metavar="FILE",
                help="put an answer file on the medium, which then installs by itself after a "
                "countdown; whoever has the medium can read it. The ISO is named after the file",
            )  # fmt: skip
            action.add_argument(
                "--license-key", type=Path, action="append", default=[], metavar="FILE.pem",
                help="public key of a signer whose licence keys the installed nodes take; again "
                "for further ones",
            )  # fmt: skip
        action.set_defaults(command=_made_by(make))
    for add in (media.add_verify, media.add_write, media.add_boot_test):
        add(actions)
    return parser


def _sentence(purpose: str) -> str:
    return f"{purpose[0].upper()}{purpose[1:]}."


def _made_by(make: Callable[[Settings], Path]) -> Callable[[argparse.Namespace], int]:
    def command(arguments: argparse.Namespace) -> int:
        with alone(arguments.cache, Screen()):
            settings = _settings(arguments)
            result = make(settings)
            settings.screen.say(f"{'done':<10} {result}")
        return 0

    return command


def _add_build_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--arch", choices=sorted(ARCHITECTURES), default="amd64", help="of the node"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="folder of results")
    parser.add_argument(
        "--cache", type=Path, default=ROOT / ".cache/image", help="folder of steps that are reused"
    )
    parser.add_argument(
        "--sign-key",
        metavar="KEY",
        help="a secret key of your gpg keyring; without it, a generated development key",
    )
    parser.add_argument(
        "--mirror",
        action="append",
        default=[],
        metavar="URL",
        help="Debian mirror, an address or file:/path of a folder, again for security updates; "
        "without it, those of this machine's apt",
    )
