# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules as users run them: a playbook of a node, with the database set once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
from typing import Any

from ansible_collections.pextra.ce.tests.integration.lab import ROOT, Lab, Node

SECRET = "correct horse battery"


def play(node: Lab, tasks: list[dict[str, Any]], *options: str) -> subprocess.CompletedProcess[str]:
    """Run tasks on this machine with Debian's Python."""
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {"group/pextra.ce.all": {"database": node.database}},
        "tasks": tasks,
    }
    path = node.file("play.json", json.dumps([play]).encode())
    argv = [f"{sysconfig.get_path('scripts')}/ansible-playbook", "-i", "localhost,", "-c", "local"]
    return subprocess.run(
        [*argv, *options, str(path)],
        capture_output=True, text=True, check=False,
        env={
            "PATH": os.environ["PATH"], "HOME": str(node.directory), "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT), "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        },
    )  # fmt: skip


def recap(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """The numbers of the last line."""
    line = next(line for line in done.stdout.splitlines() if line.startswith("localhost  "))
    return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", line)}


def task(module: str, **options: Any) -> dict[str, Any]:
    """A task of a module of the collection."""
    return {"name": f"Run {module}", f"pextra.ce.{module}": options}


def test_check_run_and_second_run_of_a_playbook(node: Node) -> None:
    tasks = [
        task("user", username="ann", password=SECRET, expiry="2040-01-31"),
        task("volume", **node.volume("data")),
        task("instance", name=node.name("vm"), memory="32MiB", networks=[
            {"name": "net0", "port_group": "lan"},
        ]),
        task("apply", resources=[
            {"kind": "user", "username": "bob", "password": SECRET},
            {"kind": "volume", **node.volume("more")},
        ]),
        task("user_info", username="ann"),
    ]  # fmt: skip
    rows = node.rows_of_all()
    checked = play(node, tasks, "--check", "--diff", "-vvv")
    assert recap(checked) == {**recap(checked), "changed": 4, "failed": 0}
    assert node.rows_of_all() == rows
    first = play(node, tasks, "--diff", "-vvv")
    assert recap(first) == {**recap(first), "changed": 4, "failed": 0}
    second = play(node, tasks)
    assert recap(second) == {**recap(second), "ok": 5, "changed": 0, "failed": 0}
    for done in (checked, first, second):
        assert SECRET not in done.stdout + done.stderr
        assert "argon2" not in done.stdout + done.stderr
    assert node.domains() == [node.name("vm")]


def test_failure_of_a_task_says_what_to_do(node: Node) -> None:
    done = play(node, [task("port_group", name="lan", vswitch="svswitch")])
    assert recap(done)["failed"] == 1
    assert "Did you mean" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
