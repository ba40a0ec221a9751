"""The first boot of an installed node: its cloud by calls of the engine, and what consoles show.

The installation left what does not need the running node: PostgreSQL with an empty database, and
the resources that the role pextra.ce.site would make. Ansible, which takes minutes on a slow
machine, is not started; pextra.ce.site finds nothing to do afterwards.
"""

from __future__ import annotations

import json
import os
import pathlib
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pextra.calls import registry
from pextra.calls.call import Answer
from pextra.host.identity import local
from pextra.model.errors import PextraError
from pextra_installer.outcome import web_address
from pextra_installer.problems import InstallerError
from pextra_installer.redaction import redact

NOTES = pathlib.Path("/etc/pextra-ce/first-boot.json")
BANNER = pathlib.Path("/etc/issue.d/pextra.issue")
SECRETS = ("site_admin_password_hash", "site_license_key")
RETRY_SECONDS = 30
_Ip = Callable[..., list[dict[str, Any]]]


class FirstBootError(InstallerError):
    """The first boot did not finish; the service tries again."""

    code = 6


def run(notes: pathlib.Path = NOTES, banner: pathlib.Path = BANNER) -> None:
    """Make the node and its cloud; remove the notes, which hold secrets, when that is done.

    Raises:
        FirstBootError: It did not finish.
    """
    try:
        told: dict[str, Any] = json.loads(notes.read_text(encoding="utf-8"))
        resources = addressed(told["resources"], default_address())
    except FileNotFoundError:
        return
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise FirstBootError(f"{notes} cannot be read: {error}") from None
    secrets = [str(told[name]) for name in SECRETS if told.get(name)]
    show(banner, "is being set up; this takes a moment")
    try:
        for line in make(resources):
            print(redact(line, secrets), flush=True)
    except PextraError as error:
        reason = redact(str(error), secrets)
        show(
            banner,
            f"could not be set up: {reason}\n"
            f"It is tried again in {RETRY_SECONDS} s. More: journalctl -u pextra-first-boot",
        )
        raise FirstBootError(f"the first boot did not finish: {reason}") from None
    notes.unlink()
    show(banner, "is ready")


def make(resources: Sequence[Mapping[str, Any]]) -> list[str]:
    """Make the tables and the resources of a manifest; says in a line each what there is.

    Raises:
        PextraError: It was refused, or failed on the way; another call goes on from there.
    """
    _call("database", {"state": "migrated"})
    made = _call("apply", {"resources": resources})["resources"]
    return [f"{one['kind']} {one['name'] or ''} {one['id']}".replace("  ", " ") for one in made]


def _call(name: str, given: Mapping[str, Any]) -> Answer:
    return registry.call(registry.find(name), given, local("installer"))


def addressed(resources: Sequence[Mapping[str, Any]], found: str | None) -> list[dict[str, Any]]:
    """The resources, with this node's address where the answers gave none.

    Args:
        resources: Those of a manifest.
        found: The address of the default route; None where there is none.
    """
    given = {"ip_address": found} if found else {}
    return [{**(given if one["kind"] == "node" else {}), **one} for one in resources]


def text(name: str, address: str | None, state: str) -> str:
    """The banner; what agetty(8) would take for an escape is doubled."""
    where = web_address(address) if address else "no address yet: look at the network"
    return f"\nPextra CloudEnvironment: node {name} {state}\nWeb: {where}\n\n".replace("\\", "\\\\")


def show(banner: pathlib.Path, state: str) -> None:
    """Write the banner and have the consoles show it."""
    made = text(socket.gethostname(), address(), state)
    banner.parent.mkdir(parents=True, exist_ok=True)
    temporary = banner.with_name(f".{banner.name}.new")
    temporary.write_text(made, encoding="utf-8")
    os.chmod(temporary, 0o644)
    temporary.replace(banner)
    print(made, flush=True)
    subprocess.run(["agetty", "--reload"], capture_output=True, check=False)


def _ip(*words: str) -> list[dict[str, Any]]:
    """What ip(8) says; nothing if it fails."""
    done = subprocess.run(["ip", "-json", *words], capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)
    except ValueError:
        return []
    return found


def default_address(ip: _Ip = _ip) -> str | None:
    """The IPv4 address of the default route, as Ansible's facts have it; None without one."""
    return next(filter(None, _sources(ip, "-4")), None)


def address(ip: _Ip = _ip) -> str | None:
    """The address that this node is reached at, an IPv4 one if there is any.

    It is the source of the default route, and on a network without a router the first address.
    """
    for family in ("-4", "-6"):
        links = ip(family, "address", "show", "scope", "global")
        addresses = [one.get("local") for link in links for one in link.get("addr_info", ())]
        found = [*_sources(ip, family), *addresses]
        if any(found):
            return str(next(filter(None, found)))
    return None


def _sources(ip: _Ip, family: str) -> list[str | None]:
    """The addresses that what leaves this machine by a router comes from."""
    outside = {"-4": "192.0.2.1", "-6": "2001:db8::1"}[family]
    return [route.get("prefsrc") for route in ip(family, "route", "get", outside)]
