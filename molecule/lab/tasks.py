"""Runs modules on a node as a playbook does, with the connection that a user has."""

from __future__ import annotations

import json
from typing import Any

from lab import ansible
from lab.errors import LabError


class Tasks:
    """Runs single modules of pextra.ce on the nodes of a lab."""

    def __init__(self, lab: str) -> None:
        self._lab = lab

    def raw(
        self, module: str, node: str = "node1", *, check: bool = False, **args: Any
    ) -> dict[str, Any]:
        """What a task returned, whatever came of it; `failed` and `unreachable` say that."""
        done = ansible.run(
            self._lab, "ansible", node, "--module-name", f"pextra.ce.{module}",
            "--args", json.dumps(args), *(["--check"] if check else []),
            ANSIBLE_CALLBACK_RESULT_FORMAT="json",
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
