"""Answers on their way to a plan: what was given so far, and what is still wrong with it.

The wizard and the plain prompts are two faces of this. Neither knows a rule of its own: what a
page may hold is what the plan says about its part of the answers.
"""

from __future__ import annotations

from typing import Any

from pextra.licensing.trust import TrustStore
from pextra_installer import check
from pextra_installer.hardware.model import Disk, Hardware
from pextra_installer.licensing import NOBODY, LicenseCheck
from pextra_installer.plan import Plan
from pextra_installer.problems import AnswersError, Path, Problem


class Draft:
    """Answers by path; whatever is emptied counts as not given."""

    def __init__(self, hardware: Hardware, medium: TrustStore = NOBODY) -> None:
        self.hardware = hardware
        self.medium = medium
        """Signers of licence keys that the medium brings."""
        self.data: dict[str, Any] = {"version": 1, "disk": {}, "administrator": {}}
        linked = [one for one in hardware.interfaces if one.physical and one.link]
        if len(linked) == 1:
            self.set(("network", "interface"), linked[0].name)
        self.set(("timezone",), "Etc/UTC")
        self.set(("administrator", "username"), "pceadmin")

    def get(self, path: Path) -> Any:
        """What was given, None if nothing was."""
        current: Any = self.data
        for part in path:
            current = current.get(part) if isinstance(current, dict) else None
        return current

    def set(self, path: Path, value: Any) -> None:
        """Take an answer; an empty one is taken away, and with it the empty mapping around it."""
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
        return check.plan_of(self.data, "the answers", LicenseCheck.today(self.medium))


def _literal(text: str) -> str:
    """A pattern that fits this text alone."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in text)
