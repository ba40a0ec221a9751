"""A node whose licence key was refused: root is asked for another one at the console."""

from __future__ import annotations

import pathlib
import socket
from collections.abc import Callable

from pextra.calls import registry
from pextra.host.identity import local
from pextra.licensing.errors import LicenseError, LicenseUnknownSignerError
from pextra.licensing.token import Edition
from pextra.model.errors import PextraError
from pextra_installer import first_boot, licensing, welcome
from pextra_installer.welcome import Places

Ask = Callable[[str], str]


def run(
    ask: Ask = input,
    places: Places = Places(),  # noqa: B008 - it is frozen
) -> None:
    """Ask for a licence key until the node takes one, or nothing is typed.

    Nothing is asked where the first boot's key was refused, and one was set by other means since.
    """
    if places.refused.exists():
        if _was_set():
            _done(places)
            return
        reason = places.refused.read_text(encoding="utf-8").strip()
        print(f"\nThe licence key of this node was refused: {reason}")
    while key := ask("\nLicence key, from PCE1 to its last character (empty: later): ").strip():
        try:
            registry.call(registry.find("node_license"), {"key": key}, local("installer"))
        except LicenseUnknownSignerError as error:
            print(error.message)
            _trust(ask, places.trusted)
        except PextraError as error:
            print(error)
        else:
            print("The licence key is set.")
            _done(places)
            return
    print("Later: pextra-installer license")


def _done(places: Places) -> None:
    places.refused.unlink(missing_ok=True)
    welcome.ready(places, first_boot.address())


def _was_set() -> bool:
    """Whether this node has a licence that is no evaluation."""
    try:
        given = {"node": socket.gethostname()}
        found = registry.call(registry.find("node_license_info"), given, local("installer"))
    except PextraError:
        return False
    return any(one["edition"] != Edition.EVALUATION for one in found["node_licenses"])


def _trust(ask: Ask, directory: pathlib.Path) -> None:
    """Ask for the public key of a signer, and have the node trust it."""
    line = ask("If you trust its signer, its public key: the middle line of its .pem: ").strip()
    if not line:
        return
    try:
        (file,) = licensing.files(licensing.named([line]))
    except LicenseError as error:
        print(error)
        return
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    path = directory / pathlib.PurePath(file["path"]).name
    path.write_text(file["content"], encoding="ascii")
    path.chmod(0o644)
    print(f"It is trusted now, by {path}. Give the licence key again.")
