"""Running a playbook of the collection on this machine, through ansible-runner."""

from __future__ import annotations

import os
import pathlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

COLLECTIONS = "/usr/share/ansible/collections"
"""Where the package pce-collection puts the collection, unless the environment says otherwise."""
SUCCESSFUL = "successful"


def play(
    playbook: str, variables: Mapping[str, Any], event: Callable[[Mapping[str, Any]], bool]
) -> str:
    """Run a playbook; its files, which hold secrets, are there for as long only.

    Args:
        playbook: Its name with the collection's.
        variables: What it is told.
        event: Called with each of ansible-runner's events.

    Returns:
        ansible-runner's status, `SUCCESSFUL` if all went well.
    """
    import ansible_runner

    directory = tempfile.mkdtemp(prefix="pextra-installer-")
    binaries = str(pathlib.Path(sys.executable).parent)
    try:
        done = ansible_runner.run(
            private_data_dir=directory,
            playbook=playbook,
            inventory="localhost ansible_connection=local"
            " ansible_python_interpreter=/usr/bin/python3",
            extravars=dict(variables),
            envvars={
                "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", COLLECTIONS),
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_PIPELINING": "True",
                "ANSIBLE_LOCALHOST_WARNING": "False",
                "ANSIBLE_RETRY_FILES_ENABLED": "False",
                "LC_ALL": "C.UTF-8",
                "PATH": f"{binaries}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            },
            event_handler=event,
            quiet=True,
        )
        return str(done.status)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def failure(event: Mapping[str, Any]) -> str | None:
    """What a failed task says, in one line; None of any other event."""
    details = event.get("event_data") or {}
    if event.get("event") != "runner_on_failed" or details.get("ignore_errors"):
        return None
    result = details.get("res") or {}
    reason = str(result.get("stderr") or result.get("msg") or "it failed")
    name = str(details.get("task") or "a task").rpartition(" : ")[2]
    return f"{name}: {' '.join(reason.split()).rstrip('.')}"
