# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Payloads that are kept, as ansible-playbook makes and uses them."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import sysconfig
import zipfile
from pathlib import Path

from ansible.executor.module_common import _CachedModule

from ansible_collections.pextra.ce.tests.integration.lab import ROOT
from ansible_collections.pextra.ce.tests.integration.postgres import Postgres

BIN = sysconfig.get_path("scripts")
USED = "ANSIBALLZ: using cached module"


def play(home: Path, database: str, name: str) -> str:
    """The output, debugging included, of a playbook that makes an organization."""
    tasks = [{"pextra.ce.organization": {"name": name, "database": database}}]
    path = home / "play.json"
    path.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    done = subprocess.run(
        [f"{BIN}/ansible-playbook", "-i", "localhost,", "-c", "local", str(path)],
        capture_output=True, text=True, check=False,
        env={
            "PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT), "ANSIBLE_HOME": str(home / "ansible"),
            "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3", "ANSIBLE_DEBUG": "true",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_second_run_uses_the_payload_of_the_first(
    postgres: Postgres, migrated: str, tmp_path: Path
) -> None:
    database = postgres.create("payloads", migrated)
    try:
        first = play(tmp_path, database, "one")
        (kept,) = (tmp_path / "ansible" / "pextra-ce" / "payloads").glob("organization-*/*")
        second = play(tmp_path, database, "two")
    finally:
        postgres.drop("payloads")
    assert USED not in first
    assert USED in second
    assert "changed=1" in first
    assert "changed=1" in second
    packed = base64.b64decode(_CachedModule.load(str(kept)).zip_data)
    names = zipfile.ZipFile(io.BytesIO(packed)).namelist()
    assert "ansible_collections/pextra/ce/plugins/module_utils/module.pyc" in names


def test_a_module_of_any_kind_is_sent_compiled_after_its_first_task(tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.write_text(f"#!/bin/sh\ntee {tmp_path}/sent.$$ | exec /usr/bin/python3\n")
    python.chmod(0o755)
    path = tmp_path / "play.json"
    tasks = [{"ansible.builtin.command": {"argv": ["true"]}}] * 2
    path.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    done = subprocess.run(
        [f"{BIN}/ansible-playbook", "-i", "localhost,", "-c", "local", str(path)],
        capture_output=True, text=True, check=False,
        env={
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT), "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_CALLBACKS_ENABLED": "pextra.ce.compiled_modules",
            "ANSIBLE_PYTHON_INTERPRETER": str(python),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "WARNING" not in done.stdout + done.stderr
    sent = sorted(tmp_path.glob("sent.*"), key=lambda one: one.stat().st_mtime_ns)
    packed = [re.findall(r"UEsDB[A-Za-z0-9+/=]+", one.read_text()) for one in sent]
    names = [zipfile.ZipFile(io.BytesIO(base64.b64decode(one))).namelist() for (one,) in packed]
    assert ["ansible/modules/command.pyc" in found for found in names] == [False, True]
