"""Runs Ansible on a lab's nodes with the installed collection, and with nothing of the checkout."""

from __future__ import annotations

import os
import subprocess

from lab import paths

Done = subprocess.CompletedProcess[str]


def run(lab: str, program: str, *arguments: str, **settings: str) -> Done:
    """Run a program of Ansible on the nodes, whatever comes of it.

    Args:
        lab: The lab's name.
        program: For example `ansible-playbook`.
        arguments: Its arguments, besides the inventory.
        settings: More variables of the environment.
    """
    return subprocess.run(
        [
            str(paths.REPOSITORY / ".venv/bin" / program),
            "--inventory", str(paths.lab(lab) / "inventory.yml"), *arguments,
        ],
        cwd=paths.lab(lab), env={**environment(), **settings}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def environment() -> dict[str, str]:
    """This process's environment, with no setting of Ansible but those that nodes need."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return {
        **own, "ANSIBLE_COLLECTIONS_PATH": str(paths.COLLECTIONS), "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_SSH_PIPELINING": "1", "ANSIBLE_TIMEOUT": "60", "LC_ALL": "C.UTF-8",
    }  # fmt: skip


def play(lab: str, playbook: str, *arguments: str) -> Done:
    """Run a playbook of the collection, whatever comes of it; what it says is printed, too."""
    done = run(lab, "ansible-playbook", f"pextra.ce.{playbook}", *arguments)
    print(done.stdout, done.stderr)
    return done
