"""Answers on their way to a plan: what was given so far, and what is still wrong with it.

The wizard and the plain prompts are two faces of this. Neither knows a rule of its own: what a
page may hold is what the plan says about its part of the answers.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from pextra.licensing.trust import TrustStore
from pextra_installer import check
from pextra_installer.hardware.model import Disk, Hardware, Interface
from pextra_installer.keyboard import DEFAULT as DEFAULT_KEYBOARD
from pextra_installer.licensing import NOBODY, LicenseCheck
from pextra_installer.plan import Plan
from pextra_installer.problems import AnswersError, Path, Problem

PASSWORD: Path = ("administrator", "password")
AGAIN: Path = ("again",)
"""Where the password is typed a second time, which is no answer."""
NAME = "draft.json"
"""Of the file in the state directory that keeps a draft."""


class Draft:
    """Answers by path; whatever is emptied counts as not given."""

    def __init__(self, hardware: Hardware, medium: TrustStore = NOBODY) -> None:
        self.hardware = hardware
        self.medium = medium
        """Signers of licence keys that the medium brings."""
        self.data: dict[str, Any] = {"version": 1, "disk": {}, "administrator": {}}
        self._again: str | None = None
        linked = [one for one in hardware.interfaces if one.physical and one.link]
        if len(linked) == 1:
            self.set(("network", "interface"), linked[0].name)
        self.set(("timezone",), "Etc/UTC")
        self.set(("keyboard",), DEFAULT_KEYBOARD)
        self.set(("administrator", "username"), "pceadmin")

    def get(self, path: Path) -> Any:
        """What was given, None if nothing was."""
        if path == AGAIN:
            return self._again
        current: Any = self.data
        for part in path:
            current = current.get(part) if isinstance(current, dict) else None
        return current

    def set(self, path: Path, value: Any) -> None:
        """Take an answer; an empty one is taken away, and with it the empty mapping around it."""
        if path == AGAIN:
            self._again = value
            return
        current: dict[Any, Any] = self.data
        for part in path[:-1]:
            current = current.setdefault(part, {})
        if value in (None, "", [], ()):
            current.pop(path[-1], None)
        else:
            current[path[-1]] = value

    def choose_disk(self, disk: Disk) -> None:
        """Take a disk by the name that stays its own: serial number, by-id, else its device."""
        same = [one for one in self.hardware.disks if one.serial == disk.serial]
        if disk.by_id:
            wanted = {"by_id": disk.by_id[0]}
        elif disk.serial and len(same) == 1:
            wanted = {"serial": _literal(disk.serial)}
        else:
            wanted = {"path": disk.path}
        self.data["disk"] = {"match": [wanted]}

    def interface(self) -> Interface | None:
        """The interface that was chosen, or that is the only one with a link."""
        chosen = self.get(("network", "interface"))
        found = [one for one in self.hardware.interfaces if chosen in (one.name, one.mac)]
        return found[0] if found else None

    def take_over(self, family: str) -> bool:
        """Fill in what the interface has now, where a static address is wanted and none given.

        The address that DHCP gave may become somebody else's: it is a proposal, to be looked at.

        Args:
            family: ``ipv4`` or ``ipv6``.

        Returns:
            Whether anything was filled in.
        """
        link, mark = self.interface(), ":" if family == "ipv6" else "."
        if link is None or self.get(("network", family, "address")):
            return False
        address = next((one for one in link.addresses if mark in one), None)
        if address is None:
            return False
        self.set(("network", family, "address"), address)
        gateway = next((one for one in link.gateways if mark in one), None)
        self.set(("network", family, "gateway"), gateway)
        if not self.get(("network", "dns", "servers")):
            servers = [one for one in link.name_servers if mark in one]
            self.set(("network", "dns", "servers"), servers)
        return True

    def give_back(self, family: str) -> bool:
        """Take away again what `take_over` filled in and nobody changed; whether any was."""
        link, address = self.interface(), self.get(("network", family, "address"))
        if link is None or address not in link.addresses:
            return False
        self.set(("network", family, "address"), None)
        if self.get(("network", family, "gateway")) in link.gateways:
            self.set(("network", family, "gateway"), None)
        servers = self.get(("network", "dns", "servers")) or []
        if set(servers) <= set(link.name_servers):
            self.set(("network", "dns", "servers"), None)
        return True

    def problems(self, *places: Path) -> list[Problem]:
        """What is wrong at some places of the answers, or anywhere if none is named."""
        try:
            self.plan()
        except AnswersError as error:
            return [
                problem
                for problem in error.problems
                if not places
                or any(
                    problem.path[: len(place)] == place
                    or place[: len(problem.path)] == problem.path
                    for place in places
                )
            ]
        return []

    def plan(self) -> Plan:
        """The plan.

        Raises:
            AnswersError: Something is still wrong.
        """
        checks = LicenseCheck.today(self.medium), self._typed_twice
        return check.plan_of(self.data, "the answers", *checks)

    def _typed_twice(self, _data: Mapping[str, Any]) -> list[Problem]:
        password = self.get(PASSWORD)
        if not password or password == self._again:
            return []
        return [Problem(AGAIN, "it is not the same password", "Type it twice")]

    def save(self, state: pathlib.Path) -> None:
        """Keep the answers in a directory of the live system, without the password."""
        kept = Draft(self.hardware)
        kept.data = json.loads(json.dumps(self.data))
        kept.set(PASSWORD, None)
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = state / f".{NAME}.new"
        with temporary.open("w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            json.dump(kept.data, file)
        temporary.replace(state / NAME)

    def restore(self, state: pathlib.Path) -> bool:
        """Take the answers that are kept in a directory; whether there are any."""
        with contextlib.suppress(OSError, ValueError):
            data = json.loads((state / NAME).read_text(encoding="utf-8"))
            if isinstance(data, dict) and all(isinstance(data.get(name), dict) for name in _MAPS):
                self.data = data
                return True
        return False


_MAPS = ("disk", "administrator")


def forget(state: pathlib.Path) -> None:
    """Remove the answers that are kept in a directory."""
    (state / NAME).unlink(missing_ok=True)


def _literal(text: str) -> str:
    """A pattern that fits this text alone."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in text)
