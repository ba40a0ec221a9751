# SPDX-License-Identifier: Apache-2.0
"""What is plugged into a running machine: as much as has a place, and in containers all."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest

from pextra.host.hypervisor.domain import ALIAS, Disk, Domain, Nic, Rng
from pextra.host.hypervisor.pci_xml import MOST
from pextra.kinds.instance import places, steps
from pextra.kinds.instance.domain import DomainState
from pextra.model.errors import ConflictError, ForeignError

MACHINE = Domain("u", "inst-1", "vm", "qemu", 32, (1, 1, 1))
CARDS = tuple(Nic(f"52:54:00:00:00:{n:02x}", "br0", alias=f"{ALIAS}{n}") for n in range(9))


def plugged(live: Domain, want: Domain) -> list[str]:
    """The actions that bring a running machine to what is wanted."""
    row = cast(
        "Any", {"id": "inst-1", "name": "vm", "type": "lxc" if live.type == "lxc" else "qemu"}
    )
    return [step.action for step in steps._live(row, want, live, False, False, None)]


def test_as_many_are_plugged_in_as_places_are_free() -> None:
    want = dataclasses.replace(MACHINE, nics=CARDS[:3])
    for free, actions in ((3, ["plug"] * 3), (2, ["plug"] * 2 + ["restart"]), (0, ["restart"])):
        assert plugged(dataclasses.replace(MACHINE, free_places=free), want) == actions


def test_what_needs_no_place_is_plugged_in_where_none_is_free() -> None:
    scsi = Disk("sda", "/x", "raw", "scsi", alias=f"{ALIAS}s")
    assert plugged(MACHINE, dataclasses.replace(MACHINE, disks=(scsi,))) == ["plug"]
    rng = Rng("/dev/random", f"{ALIAS}r")
    assert plugged(MACHINE, dataclasses.replace(MACHINE, extras=(rng,))) == ["restart"]


def test_one_that_goes_leaves_its_place_to_another() -> None:
    live = dataclasses.replace(MACHINE, nics=CARDS[:1])
    assert plugged(live, dataclasses.replace(MACHINE, nics=CARDS[1:2])) == ["unplug", "plug"]


def test_containers_have_no_places_that_could_be_used_up() -> None:
    live = dataclasses.replace(MACHINE, type="lxc")
    cards = tuple(dataclasses.replace(card, model="lxc", alias=None) for card in CARDS)
    assert plugged(live, dataclasses.replace(live, nics=cards)) == ["plug"] * len(cards)
    places.check(dataclasses.replace(live, nics=cards * MOST), DomainState(config=live), "vm")


def test_too_many_and_what_others_have_is_refused() -> None:
    with pytest.raises(ConflictError, match=f"which take {MOST}"):
        places.check(dataclasses.replace(MACHINE, nics=CARDS * MOST), DomainState(), "vm")
    want = dataclasses.replace(MACHINE, nics=CARDS[:1])
    theirs = dataclasses.replace(MACHINE, nics=(dataclasses.replace(CARDS[0], alias=None),))
    for seen in (
        DomainState(config=theirs),
        DomainState(config=MACHINE, live=theirs),
        DomainState(others_macs={CARDS[0].mac: "other"}),
    ):
        with pytest.raises(ForeignError, match=CARDS[0].mac):
            places.check(want, seen, "vm")
