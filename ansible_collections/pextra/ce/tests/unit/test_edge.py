# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge of the modules: what it hands to the engine, and what it lets out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils import basic

from ansible_collections.pextra.ce.plugins.module_utils import edge
from ansible_collections.pextra.ce.plugins.modules.user import ARGUMENT_SPEC
from pextra.calls import registry
from pextra.model.errors import InputError

Run = Callable[..., dict[str, Any]]
Engine = Callable[..., dict[str, Any]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the module `user` with an engine of the test's."""

    def run(engine: Engine, **options: Any) -> dict[str, Any]:
        given = {"ANSIBLE_MODULE_ARGS": options}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(given).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy")
        monkeypatch.setattr(registry, "call", engine)
        with pytest.raises(SystemExit):
            edge.run("user", ARGUMENT_SPEC)
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return run


def fails(error: Exception) -> Engine:
    """An engine that fails."""

    def fail(*_arguments: Any, **_options: Any) -> dict[str, Any]:
        raise error

    return fail


def test_the_engine_gets_what_was_given_and_null_is_not_unset(run: Run) -> None:
    seen: list[Any] = []

    def engine(procedure: Any, given: Any, *_principal: Any, **options: Any) -> dict[str, Any]:
        seen.append((procedure.name, given, options["check"], options["confirms"]))
        return {"changed": False}

    given = {"username": "ann", "password": "open sesame", "expiry": None}
    result = run(engine, **given, _ansible_check_mode=True)
    assert seen == [("user", given, True, False)]
    assert "open sesame" not in json.dumps(result)
    assert result["invocation"]["module_args"]["username"] == "ann"


def test_null_is_no_wrong_choice(run: Run) -> None:
    result = run(lambda *_arguments, **_options: {"changed": True}, username="ann", state=None)
    assert result["changed"] is True


def test_the_promise_to_confirm_reaches_the_engine(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def engine(*_arguments: Any, **options: Any) -> dict[str, Any]:
        seen.append(options["confirms"])
        return {}

    monkeypatch.setenv(edge.CONFIRMS, "1")
    run(engine, username="ann")
    monkeypatch.delenv(edge.CONFIRMS)
    run(engine, username="ann")
    assert seen == [True, False]


@pytest.mark.parametrize(
    ("secret", "quoted"),
    [("open sesame", "open sesame"), ("ann", "ann"), ("two\nlines", r"two\nlines")],
    ids=["long", "short", "quoted"],
)
def test_a_fault_in_the_engine_shows_no_secret(run: Run, secret: str, quoted: str) -> None:
    error = ValueError(f"channel {quoted} and '{quoted}'")
    result = run(fails(error), username="channel", password=secret)
    assert (result["failed"], result["code"]) == (True, "internal")
    assert result["msg"].endswith("ValueError: channel ******** and '********'")
    assert result["errors"][0]["message"] == result["msg"]
    del result["invocation"]
    assert quoted not in json.dumps(result).replace("channel", "").replace("\\\\", "\\")


def test_an_error_of_the_engine_is_a_failure_with_its_code(run: Run) -> None:
    error = InputError("no such thing as sesame", resource="user", hint="Say open")
    result = run(fails(error), username="ann", password="sesame")
    assert (result["failed"], result["code"]) == (True, "invalid_input")
    assert result["errors"] == [
        {
            "code": "invalid_input", "resource": "user", "hint": "Say open",
            "message": "no such thing as ********",
        }
    ]  # fmt: skip
