# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways from a task to the node's engine: straight, by sudo, or with the module."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.controllers.place import Controller

MIGRATED: dict[str, Any] = {"pextra.ce.database": {"state": "migrated"}}
STRAIGHT = "pextra.cli.task"
MODULE = "Using module file {}/plugins/modules/organization.py"
SAME_USER = {"ANSIBLE_BECOME_ALLOW_SAME_USER": "1"}


def organization(name: str, **more: Any) -> dict[str, Any]:
    """A task that makes an organization, and keeps its result under that name."""
    return {"pextra.ce.organization": {"name": name}, "register": name, **more}


def test_a_task_asks_the_engine_and_sends_no_module(controller: Controller, database: str) -> None:
    tasks = [MIGRATED, organization("one", check_mode=True, diff=True), organization("two")]
    run = controller.play(tasks, "-vvv", defaults={"database": database})
    assert run.code == 0, run.output
    assert run.output.count(f"-m {STRAIGHT}") == len(tasks)
    assert MODULE.format(controller.collection) not in run.output
    assert run["one"]["changed"]
    assert [item["before"] for item in run["one"]["diff"]] == [""]
    assert run["two"]["organization"]["name"] == "two"
    assert '"module_args": {' in run.output


def test_sudo_asks_the_engine_too(controller: Controller, database: str) -> None:
    task = organization("one", become=True, become_method="sudo")
    run = controller.play([MIGRATED, task], "-vvv", defaults={"database": database}, **SAME_USER)
    assert run.code == 0, run.output
    assert "sudo" in run.output
    assert run.output.count(f"-m {STRAIGHT}") == 2
    assert MODULE.format(controller.collection) not in run.output


@pytest.mark.parametrize(
    "way", [{"become": True, "become_method": "su"}, {"async": 60, "poll": 1}], ids=["su", "async"]
)
def test_the_module_runs_where_no_standard_input_is(
    controller: Controller, database: str, way: dict[str, Any]
) -> None:
    tasks = [MIGRATED, organization("one", **way), organization("again")]
    tasks[2]["pextra.ce.organization"]["name"] = "one"
    run = controller.play(tasks, "-vvv", defaults={"database": database}, **SAME_USER)
    assert run.code == 0, run.output
    assert run.output.count(f"-m {STRAIGHT}") == 2
    assert MODULE.format(controller.collection) in run.output
    assert run["one"]["changed"]
    assert not run["again"]["changed"]


def test_options_arrive_as_the_playbook_has_them(controller: Controller, database: str) -> None:
    password = controller.directory / "vault-password"
    password.write_text("opens the vault\n")
    given = ["--vault-password-file", str(password)]
    hidden = controller.run("ansible-vault", "encrypt_string", *given, "hidden in a vault")
    text = "\n".join(f"      {line.strip()}" for line in hidden.splitlines()[1:])
    (controller.directory / "vaulted.yml").write_text(f"""
resources:
  - kind: organization
    name: Example
  - kind: user
    username: ann
    expiry: "2031-02-03"
    password: !vault |
{text}
""")
    tasks: list[dict[str, Any]] = [
        {**MIGRATED, "environment": {"PEXTRA_CE_DATABASE": database}},
        {
            "pextra.ce.apply": {"resources": "{{ resources }}"},
            "environment": {"PEXTRA_CE_DATABASE": "{{ database }}"},
            "register": "made",
        },
        {
            "pextra.ce.user": {
                "username": "ann",
                "password": "{{ resources[1].password }}",
                "expiry": dt.date(2031, 2, 3),
            },
            "environment": {"PEXTRA_CE_DATABASE": database},
            "register": "again",
        },
    ]
    run = controller.play(
        tasks, "-vvv", *given, "-e", f"@{controller.directory / 'vaulted.yml'}",
        variables={"database": database},
    )  # fmt: skip
    assert not run["made"].get("failed"), run.output
    assert run["again"]["changed"] is False, run.output
    assert run["again"]["user"]["expiry"].startswith("2031-02-03")
    assert "hidden in a vault" not in run.output + run.log


@pytest.mark.parametrize(
    ("driver", "code", "message"),
    [
        ("import os\nos.kill(os.getpid(), 9)\n", "engine", "ended without an answer"),
        ("raise RuntimeError('planted')\n", "internal", "RuntimeError: planted"),
    ],
    ids=["killed", "fault"],
)
def test_an_engine_that_breaks_is_told_and_runs_once(
    controller: Controller, database: str, tmp_path: Path, driver: str, code: str, message: str
) -> None:
    runs = tmp_path / "runs"
    counted = f"import os\nopen({str(runs)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
    (tmp_path / "psycopg.py").write_text(counted + driver)
    environment = {"PYTHONPATH": str(tmp_path), "PEXTRA_CE_DATABASE": database}
    run = controller.play([organization("one", environment=environment)])
    assert (run["one"]["failed"], run["one"]["code"]) == (True, code), run.output
    assert message in run["one"]["msg"]
    # One process; it may ask for the driver again, to write what failed to the audit log.
    assert len(set(runs.read_text().split())) == 1


def test_what_is_not_to_be_logged_is_not(controller: Controller, database: str) -> None:
    tasks = [MIGRATED, organization("loud"), organization("hushed", no_log=True)]
    run = controller.play(tasks, defaults={"database": database})
    assert run.code == 0, run.output
    assert "ansible-pextra.ce.organization" in run.log
    assert "name=loud" in run.log
    assert "hushed" not in run.log


def test_an_engine_of_another_version_is_named_with_what_it_does_not_know(
    controller: Controller, database: str, engine: Path, tmp_path: Path
) -> None:
    shutil.copytree(engine, tmp_path / "pextra")
    (tmp_path / "pextra/__init__.py").write_text('VERSION = "0.2.7"\n')
    other = {"environment": {"PYTHONPATH": str(tmp_path)}}
    tasks: list[dict[str, Any]] = [
        {"pextra.ce.organization": {"name": "one", "colour": "red"}, "register": "same"},
        {"pextra.ce.organization": {"name": "one", "colour": "red"}, "register": "other", **other},
    ]
    run = controller.play(tasks, defaults={"database": database})
    assert "unknown option: colour" in run["same"]["msg"]
    assert "version" not in run["same"]["msg"]
    assert "unknown option: colour" in run["other"]["msg"]
    assert "engine has version 0.2.7 and this collection 0.2.0" in run["other"]["msg"]


def test_what_the_nodes_shell_prints_is_not_taken_for_an_answer(
    controller: Controller, database: str, tmp_path: Path
) -> None:
    (tmp_path / "sh").write_text(
        "#!/bin/sh\necho 'pextra engine node1'\necho 'pextra engine 0.1.0'\n"
        '/bin/sh "$@"\nstatus=$?\necho "pextra engine 9.9.9"\necho "{}"\nexit $status\n'
    )
    (tmp_path / "sh").chmod(0o755)
    shell = {"vars": {"ansible_shell_executable": str(tmp_path / "sh")}}
    tasks = [MIGRATED, organization("one", **shell)]
    run = controller.play(tasks, "-vvv", defaults={"database": database})
    assert run.code == 0, run.output
    assert run["one"]["organization"]["name"] == "one"
    assert MODULE.format(controller.collection) not in run.output


def test_a_module_of_another_name_asks_for_what_it_stands_for(
    controller: Controller, database: str
) -> None:
    meta = controller.collection.parents[1] / "example/own/meta"
    meta.mkdir(parents=True, exist_ok=True)
    routing = {"modules": {"tenant": {"redirect": "pextra.ce.organization"}}}
    (meta / "runtime.yml").write_text(json.dumps({"plugin_routing": routing}))
    task = {"example.own.tenant": {"name": "one", "database": database}, "register": "one"}
    run = controller.play([MIGRATED, task], "-vvv", defaults={"database": database})
    assert run.code == 0, run.output
    assert run["one"]["changed"]
    assert run.output.count(f"-m {STRAIGHT}") == 2


def test_an_option_that_cannot_be_sent_is_refused(controller: Controller, database: str) -> None:
    task = {"pextra.ce.volume": {"name": "data", "size": "{{ 10 ** 5000 }}"}, "register": "huge"}
    run = controller.play([task], defaults={"database": database}, ANSIBLE_JINJA2_NATIVE="1")
    assert run["huge"].get("code") == "invalid_input", run.output
