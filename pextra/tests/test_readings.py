# SPDX-License-Identifier: Apache-2.0
"""Definitions whose text is the one of last time are not read again; all others are."""

from __future__ import annotations

import dataclasses
import json
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given

from pextra.host.hypervisor import domain_xml, readings
from pextra.host.hypervisor.domain import ALIAS, Disk, Domain, Nic
from pextra.host.hypervisor.readings import Readings
from pextra.host.network.policy import PortPolicy
from pextra.host.pools.backend import Remote
from pextra.tests.test_domain_xml import domains

DOMAIN = Domain(
    "11111111-2222-5333-8444-555555555555", "inst-1", "vm", "qemu", 64, (1, 1, 1),
    disks=(
        Disk("vda", "pool/image", alias=f"{ALIAS}1", remote=Remote(
            "rbd", "pool/image", (("10.0.0.1", "6789"), ("10.0.0.2", "6789")), "user", "secret"
        )),
        Disk("sdb", "/pool/data", bus="scsi", alias=f"{ALIAS}2", controller=0),
    ),
    nics=(
        Nic("52:54:00:00:00:01", "svswitch1", alias=f"{ALIAS}3",
            port=PortPolicy(trunk=((2, 5), (9, 9)), isolated=True)),
    ),
)  # fmt: skip
TEXT = domain_xml.render(DOMAIN)


def once(path: Path, text: str, *, buses: bool = True) -> Domain:
    """What a run reads of one definition, which it keeps."""
    known = Readings(str(path))
    domain = known.read(text, buses=buses)
    known.keep({domain.uuid}, {domain.uuid})
    return domain


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where readings are kept; its folder is not there yet."""
    return tmp_path / "state" / "definitions.json"


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are read from now on, not known from last time."""
    read: list[str] = []
    parse = domain_xml.parse

    def noted(text: str, *, buses: bool = True) -> Domain:
        read.append(text)
        return parse(text, buses=buses)

    monkeypatch.setattr(domain_xml, "parse", noted)
    return read


@given(domains())
def test_what_was_read_last_time_is_the_same_to_the_last_field(domain: Domain) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, text = Path(folder, "definitions.json"), domain_xml.render(domain)
        first = once(path, text)
        # As text it also has what domains are not compared by.
        assert repr(Readings(str(path)).read(text, buses=True)) == repr(first)


def test_networks_and_ports_are_kept_too(path: Path, unread: list[str]) -> None:
    first = once(path, TEXT)
    assert first.disks[0].remote == DOMAIN.disks[0].remote
    assert first.nics[0].port == DOMAIN.nics[0].port
    assert repr(once(path, TEXT)) == repr(first)
    assert unread == [TEXT]


@pytest.mark.parametrize("name", ["memory", "name", "machine", "nics"])
def test_a_definition_that_has_changed_is_read(path: Path, name: str) -> None:
    once(path, TEXT)
    other = {"memory": 65, "name": "other", "machine": "pc", "nics": ()}[name]
    changed = dataclasses.replace(DOMAIN, **{name: other})
    assert getattr(once(path, domain_xml.render(changed)), name) == other


def test_free_places_are_counted_where_they_are_asked_for(path: Path) -> None:
    assert once(path, TEXT, buses=False).free_places == 0
    assert once(path, TEXT, buses=True).free_places == domain_xml.parse(TEXT).free_places > 0


def test_what_other_code_has_read_counts_for_nothing(
    path: Path, unread: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    once(path, TEXT)
    monkeypatch.setattr(readings, "_code", lambda: [["domain_xml.py", 1, 1]])
    once(path, TEXT)
    once(path, TEXT)
    assert unread == [TEXT, TEXT]


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "null", "\N{SNOWMAN}", '{"code": 1}', '{"domains": {}}', '{"Disk": [1]}',
     '{"Domain": null}'],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_made_anew(
    path: Path, unread: list[str], damage: str
) -> None:
    first = once(path, TEXT)
    path.write_text(damage, "utf-8")
    assert once(path, TEXT) == first
    assert once(path, TEXT) == first
    assert unread == [TEXT, TEXT]


def test_a_file_cut_anywhere_is_made_anew(path: Path) -> None:
    first = once(path, TEXT)
    whole = path.read_text()
    for length in range(0, len(whole), 7):
        path.write_text(whole[:length])
        assert once(path, TEXT) == first
        assert path.read_text() == whole


def test_only_domains_that_are_there_are_kept(path: Path) -> None:
    known = Readings(str(path))
    texts = {
        number: domain_xml.render(dataclasses.replace(DOMAIN, uuid=f"uuid-{number}"))
        for number in range(3)
    }
    for text in texts.values():
        known.read(text, buses=True)
    known.keep(set(), {"uuid-0", "uuid-1", "uuid-2"})
    once(path, domain_xml.render(dataclasses.replace(DOMAIN, uuid="uuid-1", memory=65)))
    kept = json.loads(path.read_text())["domains"].values()
    assert [item["Domain"][0] for item in kept] == ["uuid-1"]


def test_what_was_not_looked_at_is_kept(path: Path, unread: list[str]) -> None:
    other = domain_xml.render(dataclasses.replace(DOMAIN, uuid="other"))
    once(path, other)
    known = Readings(str(path))
    known.read(TEXT, buses=True)
    known.keep({DOMAIN.uuid}, {DOMAIN.uuid, "other"})
    once(path, other)
    assert unread == [other, TEXT]


def test_only_root_reads_what_is_kept(path: Path) -> None:
    once(path, TEXT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    assert once(tmp_path / "state" / "definitions.json", TEXT).memory == 64
