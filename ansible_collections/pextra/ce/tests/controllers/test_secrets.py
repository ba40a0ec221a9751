# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets, which are known by their fields, are in no output and no log of any controller."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from ansible_collections.pextra.ce.tests.controllers.place import Controller
from pextra.calls import registry
from pextra.kinds.registry import KINDS, MANIFEST_KINDS
from pextra.model.fields import Field

PLAIN = "visible-4711"
"""What is no secret and has to show up, or nothing was looked at."""
_number = itertools.count(1000)


def planted() -> str:
    """A text that is nowhere else."""
    return f"planted-{next(_number)}-Zq"


def options_with_secrets(fields: Iterable[Field]) -> Iterator[dict[str, Any]]:
    """For each secret field, at any level: options that have a planted secret there."""
    for field in fields:
        if field.secret:
            yield {field.name: planted()}
        for inner in options_with_secrets(field.options):
            yield {field.name: [inner] if field.type == "list" else inner}


def everything() -> list[dict[str, Any]]:
    """Tasks whose options have secrets in every place that is one, and in some that are none."""
    tasks: list[dict[str, Any]] = []
    for name in registry.names():
        for options in options_with_secrets(registry.find(name).fields):
            tasks.append({f"pextra.ce.{name}": options})
    of_kinds: list[Any] = [
        {"kind": name, "name": PLAIN, **options}
        for name in MANIFEST_KINDS
        for options in options_with_secrets(KINDS[name].spec.accepts)
    ]
    odd: list[Any] = [
        {"kind": "user", "username": PLAIN, "passwort": planted()},
        {"kind": "usr", "username": PLAIN, "password": planted()},
        {"kind": "storage_pool", "options": json.dumps({"password": planted()})},
        {"kind": "user", "password": {"nested": planted()}},
        json.dumps({"kind": "user", "password": planted()}),
    ]
    tasks += [{"pextra.ce.apply": {"resources": resources}} for resources in (of_kinds, odd)]
    tasks.append({"pextra.ce.apply": {"resources": {"kind": "user", "password": planted()}}})
    tasks.append({"pextra.ce.user": {"username": PLAIN, "passwort": planted()}})
    tasks.append({"pextra.ce.user": {"username": PLAIN, "password": {"nested": planted()}}})
    for text in ("host=/nowhere password={}", "host=/nowhere {}", "postgresql://x:{}@localhost/y"):
        database = text.format(planted())
        tasks.append({"pextra.ce.user_info": {"database": database}})
    return tasks


def test_no_secret_is_shown_or_logged(controller: Controller, database: str) -> None:
    found = everything()
    secrets = set(re.findall(r"planted-\d+-Zq", json.dumps(found)))
    assert len(secrets) > 20
    tasks: list[dict[str, Any]] = []
    variables: dict[str, Any] = {}
    for number, task in enumerate(found):
        ((module, options),) = task.items()
        variables[f"options{number}"] = options
        names = {key: f"{{{{ options{number}[{key!r}] }}}}" for key in options}
        tasks.append({module: names, "register": f"result{number}"})
    migrated = {"pextra.ce.database": {"state": "migrated"}}
    run = controller.play(
        [migrated, *tasks], "-vvv", "--diff", defaults={"database": database}, variables=variables
    )
    results = json.dumps(run.results)
    for place in (run.output, run.log, results):
        assert PLAIN in place
        assert sorted(secret for secret in secrets if secret in place) == []
    assert run.log.count("Invoked with") >= len(found) - 5
    failures = [run[f"result{number}"] for number in range(len(found))]
    assert not [item["msg"] for item in failures if "Traceback" in str(item)]


def test_a_secret_of_a_few_letters_hides_nothing_else(
    controller: Controller, database: str
) -> None:
    tasks = [
        {"pextra.ce.database": {"state": "migrated"}},
        {
            "pextra.ce.user": {"username": "anna", "password": "{{ secret }}", "state": "present"},
            "register": "short",
        },
        {"pextra.ce.user": {"password": "present", "state": "present"}, "register": "choice"},
    ]
    run = controller.play(
        tasks, "-vvv", defaults={"database": database}, variables={"secret": "nn"}
    )
    assert 'user "anna"' in run["short"]["msg"]
    assert '"username": "anna"' in run.output
    assert '"state": "present"' in run.output
    assert '"password": "nn"' not in run.output
    assert "value of state" not in run["choice"]["msg"]
    assert "state=present" in run.log
    assert "password=nn" not in run.log
