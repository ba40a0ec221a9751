"""The first boot: what the engine is asked for, and what the console shows of it."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from pextra.calls import registry
from pextra.calls.call import Procedure
from pextra.licensing.errors import LicenseExpiredError
from pextra.model.errors import StoreError
from pextra_installer import first_boot, welcome
from pextra_installer.welcome import Places

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g"
RESOURCES = [
    {"kind": "organization", "name": "Example"},
    {"kind": "node", "name": "node1", "cluster": "first"},
    {"kind": "user", "username": "pceadmin", "password_hash": HASH},
]
Asked = list[tuple[str, Mapping[str, Any]]]


@pytest.fixture
def places(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setattr(first_boot, "default_address", lambda: "192.0.2.7")
    monkeypatch.setattr(first_boot, "address", lambda: "192.0.2.7")
    monkeypatch.setattr(welcome, "serves", lambda: False)
    places = Places(tmp_path)
    places.notes.parent.mkdir(parents=True)
    told = {"site_admin_password_hash": HASH, "resources": RESOURCES}
    places.notes.write_text(json.dumps(told))
    return places


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Calls of the engine, which makes all that is asked for."""
    calls: Asked = []

    def call(procedure: Procedure, given: Mapping[str, Any], _principal: object) -> dict[str, Any]:
        calls.append((procedure.name, given))
        made = given.get("resources", ())
        return {"resources": [{"kind": one["kind"], "name": None, "id": "x-1"} for one in made]}

    monkeypatch.setattr(registry, "call", call)
    return calls


def test_tables_and_then_all_resources_are_made_in_one_plan(places: Places, asked: Asked) -> None:
    first_boot.run(places)
    assert [name for name, _given in asked] == ["database", "apply"]
    manifest = asked[1][1]["resources"]
    assert [one["kind"] for one in manifest] == ["organization", "node", "user"]
    assert manifest[1]["ip_address"] == "192.0.2.7"
    assert not places.notes.exists()
    shown = places.banner.read_text()
    assert "is ready\nSSH: ssh root@192.0.2.7\nWeb: nothing on port 5007\n" in shown
    assert "man pextra-ce" in places.message.read_text()


def test_a_finished_first_boot_asks_for_nothing(asked: Asked, tmp_path: pathlib.Path) -> None:
    first_boot.run(Places(tmp_path))
    assert asked == []
    assert list(tmp_path.iterdir()) == []


def test_a_failed_one_keeps_the_notes_and_shows_why_without_secrets(
    places: Places,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def call(*_given: object) -> None:
        raise StoreError(f"no room for {HASH}", hint="Free some")

    monkeypatch.setattr(registry, "call", call)
    with pytest.raises(first_boot.FirstBootError, match="no room for") as caught:
        first_boot.run(places)
    assert places.notes.exists()
    banner = places.banner.read_text()
    assert "could not be set up: no room for ********" in banner
    assert HASH not in banner + str(caught.value) + capsys.readouterr().out


KEY = {"kind": "node_license", "node": "node1", "key": "PCE1.secret.secret"}
EVALUATION = {"kind": "node_license", "node": "node1", "evaluation": True}


@pytest.mark.parametrize(
    ("license", "refusals", "made"),
    [(KEY, 0, [KEY]), (KEY, 1, [EVALUATION]), (KEY, 2, []), (EVALUATION, 1, [])],
)
def test_a_node_whose_licence_key_is_refused_is_made_and_says_so(
    places: Places,
    monkeypatch: pytest.MonkeyPatch,
    license: dict[str, Any],
    refusals: int,
    made: list[dict[str, Any]],
) -> None:
    manifests: list[Any] = []

    def call(procedure: Procedure, given: Mapping[str, Any], _by: object) -> dict[str, Any]:
        if procedure.name == "apply":
            manifests.append(given["resources"])
            if len(manifests) <= refusals:
                raise LicenseExpiredError("the licence expired, PCE1.secret.secret")
        return {"resources": []}

    monkeypatch.setattr(registry, "call", call)
    told = {"site_license_key": KEY["key"], "resources": [*RESOURCES, license]}
    places.notes.write_text(json.dumps(told))
    banner, refused = places.banner, places.refused
    first_boot.run(places)
    assert [one for one in manifests[-1] if one["kind"] == "node_license"] == made
    assert [one["kind"] for one in manifests[-1][:3]] == ["organization", "node", "user"]
    assert not places.notes.exists()
    assert "is ready" in banner.read_text()
    assert refused.exists() is bool(refusals)
    assert ("Log in as root to set another one" in banner.read_text()) is bool(refusals)
    if refusals:
        assert refused.read_text() == "the licence expired, ********\n"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"resources": [{}]}'])
def test_damaged_notes_are_named(tmp_path: pathlib.Path, text: str) -> None:
    places = Places(tmp_path)
    places.notes.parent.mkdir(parents=True)
    places.notes.write_text(text)
    with pytest.raises(first_boot.FirstBootError, match=r"first-boot\.json cannot be read"):
        first_boot.run(places)


def test_an_address_that_was_answered_stays_and_no_other_kind_gets_one() -> None:
    given = {"kind": "node", "name": "node1", "ip_address": "192.0.2.1"}
    assert first_boot.addressed([given, RESOURCES[0]], "192.0.2.7") == [given, RESOURCES[0]]
    assert first_boot.addressed(RESOURCES, None) == RESOURCES


def test_only_what_the_default_route_has_is_the_address_of_the_node() -> None:
    def ip(_family: str, kind: str, *_words: str) -> list[dict[str, Any]]:
        return [] if kind == "route" else [{"addr_info": [{"local": "10.0.2.15"}]}]

    assert first_boot.address(ip) == "10.0.2.15"
    assert first_boot.default_address(ip) is None
    assert first_boot.default_address(lambda *_words: [{"prefsrc": "192.0.2.7"}]) == "192.0.2.7"


def test_the_command_loads_only_what_the_first_boot_needs() -> None:
    """Each of these takes seconds on a slow machine."""
    heavy = {"pydantic", "ansible", "ansible_runner", "textual", "libvirt", "cryptography"}
    code = "import sys; from pextra_installer import cli, first_boot; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert heavy & set(done.stdout.split()) == set()
