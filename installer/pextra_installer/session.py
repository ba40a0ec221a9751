"""What wizard and plain prompts do with a finished plan, the same for both."""

from __future__ import annotations

import pathlib
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from pextra.licensing.trust import TrustStore
from pextra_installer import licensing, outcome
from pextra_installer.answers import files
from pextra_installer.draft import Draft, forget
from pextra_installer.execute import run
from pextra_installer.execute.progress import Progress
from pextra_installer.execute.variables import ANSWERS, STATE, Image
from pextra_installer.hardware.model import Hardware
from pextra_installer.plan import Plan, WhenDone
from pextra_installer.preview import target_of
from pextra_installer.secrets import hashed


@dataclass(frozen=True, slots=True)
class Session:
    """One sitting at a machine."""

    hardware: Hardware
    image: Image
    state: pathlib.Path = STATE
    trusted: TrustStore = licensing.NOBODY
    """Signers of licence keys that the medium brings."""

    def install(self, plan: Plan, tell: Callable[[Progress], None]) -> None:
        """Save the answers, then install.

        Raises:
            InstallerError: It did not finish.
        """
        plan = hashed(plan)
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write(plan, self.state / ANSWERS)
        target = target_of(plan, self.hardware)
        trusted = licensing.trusted_by(plan, self.trusted)
        run.install(plan, target, self.image, tell, self.state, trusted)
        forget(self.state)

    def draft(self) -> Draft:
        """Answers to be given: those of an earlier sitting, else what the machine says alone."""
        draft = Draft(self.hardware, self.trusted)
        draft.restore(self.state)
        return draft

    def outcome(self, plan: Plan) -> str:
        """What is told when the installation of a plan is done."""
        return "\n".join(outcome.lines(plan, target_of(plan, self.hardware)))


def leave(when_done: WhenDone) -> None:
    """Restart or switch off the machine, or do nothing."""
    verbs = {WhenDone.REBOOT: "reboot", WhenDone.POWER_OFF: "poweroff"}
    if when_done in verbs:
        subprocess.run(["systemctl", verbs[when_done]], check=True)
