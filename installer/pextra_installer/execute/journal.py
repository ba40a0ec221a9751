"""What was tried on this live system, and how far it came."""

from __future__ import annotations

import json
import os
import pathlib
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

NAME = "journal.json"


@dataclass(slots=True)
class Journal:
    """Tries, the last one last; written after each change, whole or not at all.

    The token names the installation: it is kept while disk and firmware are the same, so that
    a retry goes on, and made anew for another disk, so that nothing is mistaken for finished.
    """

    path: pathlib.Path
    token: str = ""
    disk: dict[str, Any] = field(default_factory=dict)
    tries: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def load(cls, directory: pathlib.Path) -> Journal:
        """The journal of a directory, empty where there is none or an unreadable one."""
        path = directory / NAME
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls(path, str(data["token"]), dict(data["disk"]), list(data["tries"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls(path)

    def begin(self, disk: dict[str, Any]) -> str:
        """Note a new try and return its token."""
        if not self.token or self.disk != disk:
            self.token, self.disk = str(uuid.uuid4()), disk
        self.tries.append({"began": _now(), "steps": {}, "outcome": "running"})
        self._write()
        return self.token

    def step(self, name: str) -> None:
        """Note that a step begins."""
        steps = self.tries[-1]["steps"]
        if name not in steps:
            steps[name] = _now()
            self._write()

    def end(self, outcome: str) -> None:
        """Note how the try ended: ``done`` or ``failed``."""
        self.tries[-1].update(outcome=outcome, ended=_now())
        self._write()

    def _write(self) -> None:
        data = {"token": self.token, "disk": self.disk, "tries": self.tries}
        temporary = self.path.with_suffix(".new")
        with temporary.open("w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            json.dump(data, file, indent=2)
        temporary.replace(self.path)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
