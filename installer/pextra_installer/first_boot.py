"""The first boot of an installed node: the playbook, and its state on the console."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

from pextra_installer.execute.ansible import SUCCESSFUL, failure, play
from pextra_installer.outcome import web_address
from pextra_installer.problems import InstallerError
from pextra_installer.secrets import redact

NOTES = pathlib.Path("/etc/pextra-ce/first-boot.json")
BANNER = pathlib.Path("/etc/issue.d/pextra.issue")
SECRETS = ("site_admin_password_hash", "site_license_key")
RETRY_SECONDS = 30


class FirstBootError(InstallerError):
    """The first boot did not finish; the service tries again."""

    code = 6


def run(notes: pathlib.Path = NOTES, banner: pathlib.Path = BANNER) -> None:
    """Make the node and its cloud; remove the notes, which hold secrets, when that is done.

    Raises:
        FirstBootError: It did not finish.
    """
    try:
        variables: dict[str, Any] = json.loads(notes.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise FirstBootError(f"{notes} cannot be read: {error}") from None
    secrets = [str(variables[name]) for name in SECRETS if variables.get(name)]
    failed: list[str] = []
    show(banner, "is being set up; this takes a few minutes")

    def event(data: Mapping[str, Any]) -> bool:
        text = redact(str(data.get("stdout") or ""), secrets)
        if text:
            print(text, flush=True)
        reason = failure(data)
        if reason:
            failed.append(redact(reason, secrets))
        return True

    status = play("pextra.ce.first_boot", variables, event)
    if status != SUCCESSFUL:
        reason = failed[0] if failed else f"Ansible ended as {status}"
        show(
            banner,
            f"could not be set up: {reason}\n"
            f"It is tried again in {RETRY_SECONDS} s. More: journalctl -u pextra-first-boot",
        )
        raise FirstBootError(f"the first boot did not finish: {reason}")
    notes.unlink()
    show(banner, "is ready")


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


def address(ip: Callable[..., list[dict[str, Any]]] = _ip) -> str | None:
    """The address that this node is reached at, an IPv4 one if there is any.

    It is the source of the default route, and on a network without a router the first address.
    """
    for family, outside in (("-4", "192.0.2.1"), ("-6", "2001:db8::1")):
        sources = [route.get("prefsrc") for route in ip(family, "route", "get", outside)]
        links = ip(family, "address", "show", "scope", "global")
        addresses = [one.get("local") for link in links for one in link.get("addr_info", ())]
        source = next(filter(None, [*sources, *addresses]), None)
        if source:
            return str(source)
    return None
