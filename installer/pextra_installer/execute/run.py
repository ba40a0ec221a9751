"""Running the playbook through ansible-runner, and telling what happens."""

from __future__ import annotations

import os
import pathlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TextIO

from pextra.licensing.trust import TrustStore
from pextra_installer import consoles, licensing
from pextra_installer.execute.ansible import SUCCESSFUL, failure, play
from pextra_installer.execute.journal import Journal
from pextra_installer.execute.progress import NAMES, Progress
from pextra_installer.execute.variables import STATE, Image, variables
from pextra_installer.plan import Plan
from pextra_installer.preview import Target
from pextra_installer.problems import InstallerError
from pextra_installer.redaction import redact
from pextra_installer.secrets import hashed, secrets_of

LOG = "install.log"


class UnfinishedError(InstallerError):
    """The installation did not finish."""

    code = 6


@dataclass(slots=True)
class _Watch:
    """What is learnt from the events of a run."""

    journal: Journal
    log: TextIO
    secrets: frozenset[str]
    tell: Callable[[Progress], None]
    began: float
    place: int = 0
    step_began: float = 0.0
    failure: str = ""
    last: str = ""

    def event(self, data: Mapping[str, Any]) -> bool:
        text = str(data.get("stdout") or "")
        if text:
            text = redact(text, self.secrets)
            self.log.write(text + "\n")
            self.log.flush()
            self.last = text.strip().rpartition("\n")[2] or self.last
        details = data.get("event_data") or {}
        if data.get("event") == "playbook_on_task_start":
            self._step(str(details.get("task_path") or ""))
        reason = failure(data)
        if reason and not self.failure:
            self.failure = redact(reason, self.secrets)
        return True

    def _step(self, task_path: str) -> None:
        file = pathlib.PurePath(task_path.rpartition(":")[0])
        if file.parts[-3:-1] != ("install", "tasks") or file.stem not in NAMES:
            return
        place = NAMES.index(file.stem)
        now = time.monotonic()
        if place != self.place or not self.step_began:
            self.place, self.step_began = place, now
            self.journal.step(file.stem)
            self.tell(self.progress(now))

    def progress(self, now: float) -> Progress:
        return Progress(self.place, now - self.began, now - (self.step_began or now))


def install(
    plan: Plan,
    target: Target,
    image: Image,
    tell: Callable[[Progress], None],
    state: pathlib.Path = STATE,
    trusted: TrustStore = licensing.NOBODY,
) -> None:
    """Install; a run after a failed one goes on where that one stopped.

    Args:
        plan: What is wanted.
        target: The parts of this machine.
        image: The system.
        tell: Called when a step begins.
        state: A directory of the live system for notes and logs.
        trusted: Signers of licence keys that the node accepts.

    Raises:
        UnfinishedError: With what failed; the log has the rest.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    plan = hashed(plan)
    journal = Journal.load(state)
    disk = asdict(target.disk)
    identity = {name: disk[name] for name in ("path", "size", "model", "serial")}
    token = journal.begin({**identity, "firmware": target.firmware.value})
    with (state / LOG).open("a", encoding="utf-8") as log:
        os.fchmod(log.fileno(), 0o600)
        watch = _Watch(journal, log, secrets_of(plan), tell, time.monotonic())
        extra = variables(plan, target, image, token, state, trusted)
        extra["install_consoles"] = consoles.named(pathlib.Path("/proc/cmdline").read_text("utf-8"))
        status = play("pextra.ce.install", extra, watch.event)
    journal.end("done" if status == SUCCESSFUL else "failed")
    if status != SUCCESSFUL:
        last = watch.last.rstrip(".") or "it said nothing"
        reason = watch.failure or f"Ansible ended as {status}: {last}"
        raise UnfinishedError(f"the installation did not finish: {reason}", f"See {state / LOG}")
