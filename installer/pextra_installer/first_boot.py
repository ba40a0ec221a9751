"""The first boot of an installed node: its cloud by calls of the engine, and what consoles show.

The installation left what does not need the running node: PostgreSQL with an empty database, and
the resources that the role pextra.ce.site would make. Ansible, which takes minutes on a slow
machine, is not started; pextra.ce.site finds nothing to do afterwards.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pextra.calls import registry
from pextra.calls.call import Answer
from pextra.host.identity import local
from pextra.licensing.errors import LicenseError
from pextra.model.errors import PextraError
from pextra_installer import welcome
from pextra_installer.problems import InstallerError
from pextra_installer.redaction import redact
from pextra_installer.welcome import Places

SECRETS = ("site_admin_password_hash", "site_license_key")
RETRY_SECONDS = 30
_Ip = Callable[..., list[dict[str, Any]]]


class FirstBootError(InstallerError):
    """The first boot did not finish; the service tries again."""

    code = 6


def run(places: Places = Places()) -> None:  # noqa: B008 - it is frozen
    """Make the node and its cloud; remove the notes, which hold secrets, when that is done.

    A licence key that is refused keeps nobody from using the node: it gets an evaluation licence,
    and whoever logs in is asked for another key.

    Raises:
        FirstBootError: It did not finish.
    """
    try:
        told: dict[str, Any] = json.loads(places.notes.read_text(encoding="utf-8"))
        resources = addressed(told["resources"], default_address())
    except FileNotFoundError:
        return
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise FirstBootError(f"{places.notes} cannot be read: {error}") from None
    secrets = [str(told[name]) for name in SECRETS if told.get(name)]
    welcome.show(places, address(), "is being set up; this takes a moment")
    try:
        made = make(resources)
    except PextraError as error:
        reason = redact(str(error), secrets)
        welcome.show(
            places,
            address(),
            f"could not be set up: {reason}\n"
            f"It is tried again in {RETRY_SECONDS} s. More: journalctl -u pextra-first-boot",
        )
        raise FirstBootError(f"the first boot did not finish: {reason}") from None
    for line in made.lines:
        print(redact(line, secrets), flush=True)
    if made.refused is not None:
        reason = redact(str(made.refused), secrets)
        places.refused.write_text(f"{reason}\n", encoding="utf-8")
        print(f"the licence key was refused: {reason}", flush=True)
    places.notes.unlink()
    welcome.ready(places, address())


@dataclass(frozen=True, slots=True)
class Made:
    """What was made, a line each, and why the licence key was not taken, if it was not."""

    lines: list[str]
    refused: LicenseError | None = None


def make(resources: Sequence[Mapping[str, Any]]) -> Made:
    """Make the tables and the resources of a manifest.

    Raises:
        PextraError: It was refused, or failed on the way; another call goes on from there.
    """
    _call("database", {"state": "migrated"})
    refused: LicenseError | None = None
    for tried in licensed(resources):
        try:
            made = _call("apply", {"resources": tried})["resources"]
        except LicenseError as error:
            refused = refused or error
            continue
        lines = [f"{one['kind']} {one['name'] or ''} {one['id']}" for one in made]
        return Made([line.replace("  ", " ") for line in lines], refused)
    raise refused or LicenseError("the node can be made with no licence")


def licensed(resources: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """The resources with the licence that was answered, with an evaluation, and with none."""
    yield resources
    others = [one for one in resources if one["kind"] != "node_license"]
    licenses = [one for one in resources if one["kind"] == "node_license"]
    if any("key" in one for one in licenses):
        plain = [{name: one[name] for name in one if name != "key"} for one in licenses]
        yield [*others, *({**one, "evaluation": True} for one in plain)]
    if licenses:
        yield others


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
