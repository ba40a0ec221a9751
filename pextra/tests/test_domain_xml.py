# SPDX-License-Identifier: Apache-2.0
"""Domains as XML: what is written is read back, and amending leaves alone what is not ours."""

# ruff: noqa: S314 - the texts are our own
from __future__ import annotations

import dataclasses
import string
import uuid
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.host.hypervisor import disk_xml, pci_xml
from pextra.host.hypervisor.domain import (
    ALIAS,
    CDROM_TARGET,
    Disk,
    Domain,
    Extra,
    Nic,
    Rng,
    Tpm,
    UsbDevice,
)
from pextra.host.hypervisor.domain_xml import (
    alias_of,
    amend,
    as_text,
    device_key,
    parse,
    render,
)

letters = st.sampled_from("abcdefghijklmnop")
paths = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=20
).map(lambda text: f"/pool/{text}")
aliases = st.uuids().map(lambda value: f"{ALIAS}{value.hex}")
disks = st.builds(
    lambda letter, bus, path, format, alias, discard: Disk(
        f"{'vd' if bus == 'virtio' else 'sd'}{letter}", path, format, bus, alias=alias,
        controller=0 if bus == "scsi" else None, discard=discard,
        serial=alias[-20:] if bus == "virtio" else None,
    ),
    letters, st.sampled_from(["virtio", "scsi"]), paths, st.sampled_from(["raw", "qcow2"]), aliases,
    st.booleans(),
)  # fmt: skip
cdroms = st.builds(
    lambda path, alias: Disk(CDROM_TARGET, path, "raw", "sata", "cdrom", None, alias),
    st.none() | paths, aliases,
)  # fmt: skip
nics = st.builds(
    lambda tail, bridge, model, alias: Nic(f"52:54:00:{tail.hex(':')}", bridge, model, None, alias),
    st.binary(min_size=3, max_size=3), st.integers(1, 99).map("svswitch{}".format),
    st.sampled_from(["virtio", "e1000e"]), aliases,
)  # fmt: skip


places = st.sampled_from(
    [("sata", "sde"), ("sata", "sdl"), ("scsi", "sdq"), ("usb", "sdr"), ("ide", "hda")]
)
drives = st.builds(
    lambda place, path, alias, tray: Disk(
        place[1], path, "raw", place[0], "cdrom", None, alias, tray=tray,
        controller=0 if place[0] == "scsi" else None,
    ),
    places, st.none() | paths, aliases, st.sampled_from(["open", "closed"]),
)  # fmt: skip
numbers = st.integers(0, 0xFFFF).map("{:04x}".format)
extras: st.SearchStrategy[Extra] = (
    st.builds(Rng, st.sampled_from(["/dev/random", "/dev/hwrng"]), aliases)
    | st.builds(
        UsbDevice,
        numbers,
        numbers,
        st.sampled_from(["mandatory", "requisite", "optional"]),
        aliases,
    )
    | st.sampled_from([("crb", "2.0"), ("tis", "1.2")]).flatmap(
        lambda kind: st.builds(Tpm, st.just(kind[0]), st.just(kind[1]), aliases)
    )
)


@st.composite
def domains(draw: st.DrawFn) -> Domain:
    """A virtual machine."""
    some = draw(st.lists(disks, max_size=4, unique_by=device_key))
    if draw(st.booleans()):
        some.append(draw(cdroms))
    taken = {disk.target for disk in some}
    more = draw(st.lists(drives, max_size=3, unique_by=device_key))
    some += [drive for drive in more if drive.target not in taken]
    others = draw(st.lists(extras, max_size=3, unique_by=device_key))
    cards = draw(st.lists(nics, max_size=3, unique_by=device_key))
    order = iter(draw(st.permutations(range(1, 1 + len(some) + len(cards)))))
    type = draw(st.sampled_from(["qemu", "kvm"]))
    return Domain(
        uuid=str(draw(st.uuids())),
        id="inst-" + "a" * 21,
        name=draw(st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True)),
        type=type,
        cpu_mode="maximum" if type == "qemu" else "host-passthrough",
        screen=True,
        memory=draw(st.integers(16, 1 << 20)),
        cpu=(draw(st.integers(1, 4)), draw(st.integers(1, 8)), draw(st.integers(1, 2))),
        uefi=draw(st.booleans()),
        console_log=draw(paths),
        disks=tuple(dataclasses.replace(disk, boot=next(order)) for disk in some),
        nics=tuple(dataclasses.replace(nic, boot=next(order)) for nic in cards),
        extras=tuple(sorted(others, key=tag_of)),
        machine=draw(st.sampled_from(["q35", "pc", "virt"])),
        usb=draw(st.booleans()),
    )


def tag_of(extra: Extra) -> int:
    """Where its kind stands in a definition."""
    return [Tpm, Rng, UsbDevice].index(type(extra))


@given(domains())
def test_what_is_written_is_read_back(domain: Domain) -> None:
    assert parse(render(domain)) == domain


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20))
def test_container_is_read_back(name: str) -> None:
    root = Domain("u", "inst-x", "ct", "lxc", 64, (1, 2, 1), rootfs=f"/srv/{name}")
    assert parse(render(root)) == dataclasses.replace(root, cpu=(1, 2, 1))


@given(domains(), domains())
def test_amended_definition_is_what_is_desired(have: Domain, want: Domain) -> None:
    want = dataclasses.replace(
        want, uuid=have.uuid, name=have.name, id=have.id, uefi=have.uefi,
        console_log=have.console_log, machine=have.machine, usb=have.usb or want.usb,
    )  # fmt: skip
    text = amend(render(have), have, want)
    found = parse(text)
    for part in ("disks", "nics", "extras"):
        assert set(getattr(found, part)) == set(getattr(want, part))
    bare = {"disks": (), "nics": (), "extras": ()}
    assert dataclasses.replace(found, **bare) == dataclasses.replace(want, **bare)
    assert amend(text, found, want) == text


@given(domains())
def test_amending_without_a_difference_changes_nothing(domain: Domain) -> None:
    text = render(domain)
    assert amend(text, domain, domain) == text


def decorated(domain: Domain) -> str:
    """The definition as libvirt keeps it: with addresses, and with what an operator added."""
    root = ET.fromstring(render(domain))
    ET.SubElement(root, "description").text = "the operator's <own> words"
    ET.SubElement(root, "memtune").text = "tuned"
    devices = root.find("devices")
    assert devices is not None
    for slot, device in enumerate(devices):
        if device.find("address") is None:
            ET.SubElement(device, "address", type="pci", slot=str(slot))
    foreign = disk_xml.element(Disk("vdz", "/theirs.img", "raw", "virtio"))
    foreign.append(ET.Element("shareable"))
    devices.append(foreign)
    card = ET.SubElement(devices, "interface", type="network")
    ET.SubElement(card, "mac", address="52:54:00:ff:ff:ff")
    ET.SubElement(devices, "watchdog", model="itco")
    return ET.tostring(root, encoding="unicode")


def foreign_parts(text: str) -> list[str]:
    """What the operator added, as text."""
    root = ET.fromstring(text)
    found = [root.find("description"), root.find("memtune"), root.find("devices/watchdog")]
    found += [item for item in root.findall("devices/disk") if item.find("shareable") is not None]
    found += root.findall("devices/interface[@type='network']")
    return [ET.tostring(item, encoding="unicode") for item in found if item is not None]


@given(domains(), domains())
def test_amending_leaves_alone_what_is_not_ours(have: Domain, want: Domain) -> None:
    text = decorated(have)
    after = amend(text, have, want)
    assert foreign_parts(after) == foreign_parts(text)
    assert len(foreign_parts(after)) == 5


@given(domains(), st.integers(16, 1 << 20))
def test_devices_keep_their_addresses(have: Domain, memory: int) -> None:
    text = decorated(have)
    changed = dataclasses.replace(
        have,
        memory=memory,
        disks=tuple(dataclasses.replace(disk, path="/moved", boot=None) for disk in have.disks),
        nics=tuple(dataclasses.replace(nic, bridge="svswitch7") for nic in have.nics),
    )
    after = amend(text, have, changed)
    assert addresses(after) == addresses(text)


def addresses(text: str) -> dict[str, str]:
    """Each device's address by what identifies the device."""
    found = {}
    for number, device in enumerate(ET.fromstring(text).findall("devices/*")):
        mac, target, address = (device.find(name) for name in ("mac", "target", "address"))
        key = mac.get("address") if mac is not None else str(number)
        key = target.get("dev", key) if target is not None else key
        if address is not None:
            found[f"{device.tag} {key}"] = str(sorted(address.attrib.items()))
    return found


def test_boot_order_of_libvirts_own_gives_way_to_that_of_devices() -> None:
    have = Domain(str(uuid.uuid4()), "inst-x", "vm", "qemu", 32, (1, 1, 1), cpu_mode="maximum")
    text = render(have).replace("</os>", '<boot dev="hd" /></os>')
    assert "<boot dev" in amend(text, have, dataclasses.replace(have, memory=64))
    root = Disk("vda", "/root.img", boot=1, alias=f"{ALIAS}1")
    assert "<boot dev" not in amend(text, have, dataclasses.replace(have, disks=(root,)))


def test_sizes_in_any_unit_are_mebibytes() -> None:
    for unit, number in (("KiB", 65536), ("MiB", 64), ("b", 64 << 20)):
        text = f"<domain type='qemu'><memory unit='{unit}'>{number}</memory></domain>"
        assert parse(text).memory == 64


def test_alias_tells_our_devices_from_others() -> None:
    ours = as_text(disk_xml.element(Disk("vda", "/a", alias=f"{ALIAS}vol-1")))
    assert alias_of(ours) == f"{ALIAS}vol-1"
    assert alias_of("<disk><alias name='virtio-disk0'/></disk>") is None
    assert alias_of("<disk/>") is None


@given(domains())
def test_console_and_screen_are_not_reached_from_elsewhere(domain: Domain) -> None:
    root = ET.fromstring(render(domain))
    (screen,) = root.findall("devices/graphics")
    assert screen.get("port") is None
    assert [item.get("type") for item in screen] == ["socket"]
    assert [item.get("type") for item in root.findall("devices/serial")] == ["pty"]


@given(domains())
def test_features_of_the_hosts_processor_are_given_only_with_kvm(domain: Domain) -> None:
    cpu = ET.fromstring(render(domain)).find("cpu")
    assert cpu is not None
    assert (cpu.get("mode") == "host-passthrough") == (domain.type == "kvm")


@pytest.mark.parametrize("bus", ["scsi", "sata"])
def test_every_device_path_is_a_place_of_its_own(bus: str) -> None:
    disks = [Disk(f"sd{letter}", "/x", "raw", bus) for letter in string.ascii_lowercase]
    there = {disk_xml.parse(disk_xml.element(disk)).place for disk in disks}
    assert len(there) == 26
    assert None not in there
    if bus == "scsi":  # on the controller and within the targets that every firmware looks at
        assert all(place and place[0] == 0 and place[1] < 32 for place in there)


def placed(text: str) -> str:
    """A definition as libvirt returns it: each bus with its number, each device on one."""
    root = ET.fromstring(text)
    devices = root.find("devices")
    assert devices is not None
    buses = [item for item in devices.findall("controller") if item.get("type") == "pci"]
    for number, item in enumerate(buses):
        item.set("index", str(number))
    ports = [item for item in buses if item.get("model") in ("pcie-root-port", "pci-bridge")]
    free = iter(ports)
    slots = iter(range(3, 31))
    for item in devices:
        if pci_xml.is_unplaced(item) and item not in buses:
            if "pcie-root" in {bus.get("model") for bus in buses}:
                place = {"bus": next(free).get("index", ""), "slot": "0x00"}
            else:
                place = {"bus": "0x00", "slot": hex(next(slots))}
            ET.SubElement(item, "address", type="pci", **place)
    return ET.tostring(root, encoding="unicode")


@given(domains(), domains())
def test_some_places_are_free_whenever_a_machine_starts(have: Domain, want: Domain) -> None:
    want = dataclasses.replace(want, machine=have.machine)
    text = placed(render(have))
    assert parse(text).free_places >= pci_xml.SPARE
    assert parse(amend(text, have, want)).free_places >= pci_xml.FEW


@given(domains())
def test_a_definition_without_its_buses_says_the_same_of_ours(domain: Domain) -> None:
    text = placed(render(domain))
    without = pci_xml.without_buses(text)
    assert "pcie-root" not in without
    assert parse(without) == parse(text)
    assert without.count("<") < text.count("<") or domain.type == "lxc"


@given(domains())
def test_a_machine_is_started_with_32_ports_and_every_device_where_it_was(domain: Domain) -> None:
    text = placed(render(domain))
    more = pci_xml.with_ports(text)
    if domain.type == "lxc" or domain.machine == "pc":
        assert more is None
        return
    assert more is not None
    assert parse(more) == parse(text)
    assert more.count('<controller type="pci" model="pcie-root-port"') >= 32 - text.count(
        "pcie-root-port"
    )
    assert parse(more).free_places >= pci_xml.SPARE
    assert pci_xml.with_ports(more) is None


def test_machine_of_an_earlier_release_gets_more_places_when_it_is_changed() -> None:
    disks = [Disk(f"vd{letter}", "/x", alias=f"{ALIAS}{letter}") for letter in "abcdefgh"]
    have = Domain("u", "inst-x", "vm", "qemu", 32, (1, 1, 1), cpu_mode="maximum")
    root = ET.fromstring(render(have))
    devices = root.find("devices")
    assert devices is not None
    for port in devices.findall("controller[@model='pcie-root-port']")[8:]:
        devices.remove(port)
    old = placed(ET.tostring(root, encoding="unicode"))
    assert parse(old).free_places == 8 - 3
    one = parse(amend(old, have, dataclasses.replace(have, disks=tuple(disks[:1]))))
    assert one.free_places == 8 - 3 - 1
    now = parse(amend(old, have, dataclasses.replace(have, disks=tuple(disks))))
    assert now.free_places == pci_xml.SPARE
