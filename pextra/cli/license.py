# SPDX-License-Identifier: Apache-2.0
"""The command ``pextra-license``: make key pairs and licence keys, show and verify keys.

Needs Python 3.11 and its library cryptography (Debian: python3-cryptography), not Ansible. Secrets
come from files, standard input or a prompt, never from the command line, where every user of the
machine could read them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import getpass
import json
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pextra.cli import terminal
from pextra.licensing import keys
from pextra.licensing.errors import LicenseError, SigningKeyError, TrustStoreError
from pextra.licensing.files import MAX_SIZE, read_small, write_new
from pextra.licensing.token import Edition, License, days_left, issue, mask, parse, verify
from pextra.licensing.trust import DEFAULT_DIRECTORY, TrustStore
from pextra.model.errors import InputError, PextraError
from pextra.model.units import format_time, parse_time

VALID, REFUSED, UNUSABLE = 0, 1, 2
_EXIT_CODES = """\
exit code:
  0  done, or the licence key is valid
  1  the licence key is refused; the message begins with the reason's code
  2  wrong usage, or a file or signing key cannot be used
"""
_OVERVIEW = f"""\
Licence keys of the platform: signed with the seller's private key, checked on each node, without
a network, against the public keys in {DEFAULT_DIRECTORY}.

who sells licences, once:
  pextra-license keygen --private-key seller.key --public-key seller.pem
who sells licences, for each node of a customer:
  pextra-license issue --private-key seller.key --customer "Example" \\
      --edition standard --days 365 --output node1.license
on each node: put seller.pem into {DEFAULT_DIRECTORY}/, then
  pextra-license show node1.license

{_EXIT_CODES}"""
_KEYGEN = f"""\
Make an Ed25519 key pair. The private key (mode 0600) signs licences: keep it off the nodes and
back it up. The public key goes to every node, into {DEFAULT_DIRECTORY}/,
under any name that ends with .pem other than evaluation.pem. Existing files are not overwritten.
"""
_ISSUE = """\
Sign a licence key and print it, or write it to a file (mode 0600). One node needs one key.
The passphrase of an encrypted private key is asked for.

examples:
  pextra-license issue --private-key seller.key --customer "Example" \\
      --edition enterprise --days 365
  pextra-license issue --private-key seller.key --customer "Example" \\
      --edition standard --from 2030-01-01 --until 2031-01-01 --output node1.license
"""
_SHOW = """\
Show what a licence key says, and whether it is valid here and now or what is wrong with it. What a
key with an unknown signer or a bad signature says is only a claim.

examples:
  pextra-license show node1.license
  pextra-license show --json < node1.license
"""
_VERIFY = """\
Say in one line whether a licence key is valid: for scripts.

example:
  pextra-license verify --keys ./trusted node1.license && echo usable
"""


def _warn(text: str) -> None:
    sys.stderr.write(f"pextra-license: {text}\n")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 36_525:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 1 to 36525")
    return int(text)


def _date(text: str) -> dt.datetime:
    try:
        return parse_time(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    except OverflowError:
        raise argparse.ArgumentTypeError(f"{text!r} is too far from now") from None


def _file(text: str) -> Path:
    if not Path(text).name:
        raise argparse.ArgumentTypeError(f"{text!r} does not name a file")
    return Path(text)


def _read_key(source: str) -> str:
    """The licence key in a file, or on standard input for ``-``."""
    if source == "-":
        if sys.stdin.isatty():
            _warn("paste the licence key, then press Enter and Ctrl-D")
        data = sys.stdin.buffer.read(MAX_SIZE)
    else:
        data = read_small(Path(source))
    return data.decode("utf-8", "replace")


def _new_passphrase() -> bytes:
    passphrase = getpass.getpass("New passphrase of the private key: ")
    if not passphrase:
        raise InputError("the passphrase is empty")
    if passphrase != getpass.getpass("The same again: "):
        raise InputError("the two passphrases differ")
    return passphrase.encode()


def _keygen(arguments: argparse.Namespace) -> int:
    private_path: Path = arguments.private_key
    public_path: Path = arguments.public_key or private_path.with_suffix(".pem")
    for path in (private_path, public_path):
        if path.is_symlink() or path.exists():
            raise InputError(
                f"{path} is there already and is not overwritten",
                hint="Choose another name, or move the old file away first",
            )
    if private_path.absolute() == public_path.absolute():
        raise InputError("the private and the public key need different files")
    passphrase = _new_passphrase() if arguments.passphrase else None
    private, public = keys.generate_pair(passphrase)
    write_new(private_path, private, 0o600)
    try:
        write_new(public_path, keys.public_pem(public), 0o644)
    except BaseException:
        private_path.unlink()  # half a pair would only be in the way of the next attempt
        raise
    terminal.say(f"private key: {private_path} (keep it secret, and a copy of it safe)")
    terminal.say(f"public key:  {public_path} (copy it to every node, into {DEFAULT_DIRECTORY}/)")
    terminal.say(f"key id:      {keys.key_id(public)}")
    return VALID


def _issue(arguments: argparse.Namespace) -> int:
    path: Path = arguments.private_key
    private = read_small(path)
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        _warn(f"others may read the private key: run chmod 600 {path}")
    passphrase = None
    if keys.is_encrypted(private):
        passphrase = getpass.getpass(f"Passphrase of {path}: ").encode()
    now = _now()
    begin: dt.datetime = arguments.begin or now
    try:
        end: dt.datetime = arguments.until or begin + dt.timedelta(days=arguments.days)
    except OverflowError:
        raise InputError("the licence would end after the year 9999") from None
    key = issue(
        private,
        arguments.customer,
        arguments.edition,
        begin,
        end,
        issued_at=now,
        passphrase=passphrase,
    )
    if arguments.output is None:
        terminal.say(key)
        return VALID
    write_new(arguments.output, f"{key}\n".encode(), 0o600)
    license = parse(key)
    terminal.say(f"{arguments.output}: {license.id}, valid until {format_time(license.expires_at)}")
    return VALID


def _judge(key: str, directory: Path) -> LicenseError | None:
    """What is wrong with the key, None if it is valid."""
    try:
        verify(key, TrustStore.load(directory), _now())
    except (TrustStoreError, SigningKeyError):
        raise
    except LicenseError as error:
        return error
    return None


def _fields(license: License) -> dict[str, str]:
    return {
        "id": license.id,
        "customer": license.customer,
        "edition": license.edition.value,
        "issued_at": format_time(license.issued_at),
        "not_before": format_time(license.not_before),
        "expires_at": format_time(license.expires_at),
        "signer": license.signer,
    }


def _show(arguments: argparse.Namespace) -> int:
    key = _read_key(arguments.license)
    wrong = _judge(key, arguments.keys)
    try:
        license: License | None = parse(key)
    except LicenseError:
        license = None
    days = days_left(license, _now()) if license else None
    if arguments.json:
        report = {
            "valid": wrong is None,
            "error": wrong.as_dict() if wrong else None,
            "license": _fields(license) if license else None,
            "days_left": days,
        }
        terminal.say(json.dumps(report, indent=2))
        return REFUSED if wrong else VALID
    terminal.say(f"key:        {mask(key)}")
    if license is not None:
        for name, value in _fields(license).items():
            terminal.say(f"{name + ':':<11} {value}")
    if wrong is not None:
        terminal.say("valid:      no")
        _warn(_reason(wrong))
        return REFUSED
    terminal.say(f"valid:      yes, {days} days left")
    return VALID


def _verify(arguments: argparse.Namespace) -> int:
    key = _read_key(arguments.license)
    wrong = _judge(key, arguments.keys)
    if wrong is not None:
        _warn(_reason(wrong))
        return REFUSED
    license = parse(key)
    end = format_time(license.expires_at)
    terminal.say(f"valid: {license.id}, edition {license.edition.value}, until {end}")
    return VALID


def _reason(error: PextraError) -> str:
    return f"{error.code}: {error}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pextra-license",
        description=_OVERVIEW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(
        name: str, about: str, text: str, run: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=about,
            description=text,
            epilog=_EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(run=run)
        return made

    keygen = command("keygen", "make a key pair for signing", _KEYGEN, _keygen)
    _add_path(keygen, "--private-key", "file to make for the private key", required=True)
    _add_path(keygen, "--public-key", "file to make for the public key (default: the same .pem)")
    keygen.add_argument(
        "--passphrase", action="store_true", help="ask for a passphrase and encrypt the private key"
    )
    _add_issue(command("issue", "sign a licence key", _ISSUE, _issue))
    show = command("show", "show what a licence key says and whether it is valid", _SHOW, _show)
    show.add_argument("--json", action="store_true", help="print JSON")
    check = command("verify", "say whether a licence key is valid", _VERIFY, _verify)
    for reader in (show, check):
        reader.add_argument(
            "license",
            metavar="FILE",
            nargs="?",
            default="-",
            help="file with the licence key; - or nothing: standard input",
        )
        reader.add_argument(
            "--keys",
            metavar="DIR",
            type=Path,
            default=DEFAULT_DIRECTORY,
            help="directory of trusted public keys (default: %(default)s)",
        )
    return parser


def _add_path(
    parser: argparse.ArgumentParser, name: str, about: str, *, required: bool = False
) -> None:
    parser.add_argument(name, metavar="FILE", type=_file, help=about, required=required)


def _add_issue(parser: argparse.ArgumentParser) -> None:
    _add_path(parser, "--private-key", "the signer's private key", required=True)
    parser.add_argument("--customer", metavar="NAME", required=True, help="whom it is for")
    parser.add_argument(
        "--edition", required=True, choices=[edition.value for edition in Edition], help="edition"
    )
    parser.add_argument(
        "--from",
        dest="begin",
        metavar="DATE",
        type=_date,
        help="first moment of validity, ISO 8601, UTC unless it says otherwise (default: now)",
    )
    end = parser.add_mutually_exclusive_group(required=True)
    end.add_argument("--days", metavar="N", type=_days, help="how many days it is valid")
    end.add_argument(
        "--until", metavar="DATE", type=_date, help="the moment at which it is no longer valid"
    )
    _add_path(parser, "--output", "file to make for the licence key (default: print it)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What follows the command's name; from the command line unless given.

    Returns:
        The exit code: 0 done or valid, 1 licence refused, 2 unusable input.
    """
    terminal.prepare()
    try:
        try:
            chosen = _parser().parse_args(arguments)
        finally:
            terminal.flush()  # what it has printed, such as its usage
        code: int = chosen.run(chosen)
    except PextraError as error:
        _warn(_reason(error))
        return UNUSABLE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _warn(f"{where}{error.strerror or error}")
        return UNUSABLE
    except (KeyboardInterrupt, EOFError):
        _warn("interrupted")
        return UNUSABLE
    return code


if __name__ == "__main__":
    raise SystemExit(main())
