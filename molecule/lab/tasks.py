"""Runs modules on a node as a playbook does, with the connection that a user has."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from lab import paths
from lab.errors import LabError


class Tasks:
    """Runs single modules of pextra.ce on the nodes of a lab."""

    def __init__(self, lab: str) -> None:
        self._inventory = paths.lab(lab) / "inventory.yml"

    def raw(
        self, module: str, node: str = "node1", *, check: bool = False, **args: Any
    ) -> dict[str, Any]:
        """What a task returned, whatever came of it; `failed` and `unreachable` say that."""
        done = subprocess.run(
            [
                str(paths.REPOSITORY / ".venv/bin/ansible"), node, "--inventory",
                str(self._inventory), "--module-name", f"pextra.ce.{module}",
                "--args", json.dumps(args), *(["--check"] if check else []),
            ],
            cwd=paths.REPOSITORY, capture_output=True, text=True, check=False,
            env=_environment(paths.REPOSITORY),
        )  # fmt: skip
        head, arrow, text = done.stdout.partition(" => ")
        if not arrow:
            raise LabError(f"{node} did not run {module}: {done.stdout}{done.stderr}")
        found: dict[str, Any] = json.JSONDecoder().raw_decode(text)[0]
        return {**found, "failed": "FAILED" in head, "unreachable": "UNREACHABLE" in head}

    def __call__(self, module: str, node: str = "node1", **args: Any) -> dict[str, Any]:
        """What a task returned that succeeded.

        Raises:
            LabError: It failed, or the node was not reached.
        """
        result = self.raw(module, node, **args)
        if result["failed"] or result["unreachable"]:
            raise LabError(f"{module} failed on {node}: {result.get('msg')}")
        return result


def _environment(repository: Path) -> dict[str, str]:
    return {
        **os.environ, "ANSIBLE_CONFIG": str(repository / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_SSH_PIPELINING": "1",
        "ANSIBLE_TIMEOUT": "60",
    }  # fmt: skip
