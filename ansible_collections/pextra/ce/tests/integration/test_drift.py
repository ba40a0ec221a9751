# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was changed outside with virsh and ip is reported and repaired by the next run."""

from __future__ import annotations

import platform
import re
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Args, Node, agrees, quietly, run

Repair = Callable[[Node], None]


def cloud(node: Node) -> list[Args]:
    """A manifest with an instance that is off, and all that it stands on."""
    seed = {"meta_data": {"role": "web"}}
    return [
        node.pool_entry(),
        *node.network_entries(),
        {"kind": "instance", **node.instance(node.name("vm"), autostart=True, cloud_init=seed)},
    ]


def undefine(node: Node) -> None:
    node.virsh("undefine", node.name("vm"))


def change_memory(node: Node) -> None:
    node.virsh("setmaxmem", node.name("vm"), "64M", "--config")


def change_processors(node: Node) -> None:
    text = node.libvirt()["domains"][node.name("vm")]["xml"]
    text = text.replace('sockets="1"', 'sockets="2"').replace("sockets='1'", "sockets='2'")
    text = text.replace(">1</vcpu>", ">2</vcpu>")
    node.virsh("define", str(node.file("vm.xml", text.encode())))


def withhold_memory(node: Node) -> None:
    node.virsh("setmem", node.name("vm"), "24M", "--config")


def detach_network_device(node: Node) -> None:
    node.virsh("detach-interface", node.name("vm"), "bridge", "--config")


def move_network_device(node: Node) -> None:
    text = node.libvirt()["domains"][node.name("vm")]["xml"]
    text = text.replace(f"bridge='{node.vswitch}'", "bridge='elsewhere'")
    node.virsh("define", str(node.file("vm.xml", text.encode())))


def detach_volume(node: Node) -> None:
    node.virsh("detach-disk", node.name("vm"), "vda", "--config")


def eject_seed(node: Node) -> None:
    node.virsh("change-media", node.name("vm"), "sdz", "--eject", "--config")


def remove_seed(node: Node) -> None:
    for path in node.directory.glob("lib/seeds/*"):
        path.unlink()


def overwrite_seed(node: Node) -> None:
    for path in node.directory.glob("lib/seeds/*"):
        path.write_bytes(b"somebody else's")


def cut_seed(node: Node) -> None:
    for path in node.directory.glob("lib/seeds/*"):
        run("truncate", "-s", "4K", str(path))


def redefine(node: Node, change: Callable[[ET.Element], None]) -> None:
    """Change the definition with another tool."""
    domain = node.domain(node.name("vm"))
    change(domain)
    node.virsh("define", str(node.file("vm.xml", ET.tostring(domain))))


def take(domain: ET.Element, *paths: str) -> None:
    """Take elements out of a definition."""
    for path in paths:
        parents = domain.findall(f"{path}/..")
        assert parents, path
        for parent in parents:
            parent.remove(parent.find(path.rpartition("/")[2]))


def remove_console_log(node: Node) -> None:
    redefine(node, lambda domain: take(domain, "devices/serial/log", "devices/console/log"))


def remove_console(node: Node) -> None:
    redefine(node, lambda domain: take(domain, "devices/serial", "devices/console"))


def log_console_elsewhere(node: Node) -> None:
    def change(domain: ET.Element) -> None:
        for log in domain.findall("devices/*/log"):
            log.set("file", f"{node.directory}/elsewhere.log")

    redefine(node, change)


def remove_screen(node: Node) -> None:
    redefine(node, lambda domain: take(domain, "devices/graphics"))


def open_screen(node: Node) -> None:
    def change(domain: ET.Element) -> None:
        take(domain, "devices/graphics")
        ET.SubElement(domain.find("devices"), "graphics", type="vnc", listen="0.0.0.0")

    redefine(node, change)


def change_processor_mode(node: Node) -> None:
    def change(domain: ET.Element) -> None:
        cpu = domain.find("cpu")
        cpu.attrib.clear()
        cpu.set("mode", "custom")
        ET.SubElement(cpu, "model").text = "qemu64"

    redefine(node, change)


def forget_discarding(node: Node) -> None:
    def change(domain: ET.Element) -> None:
        for driver in domain.findall("devices/disk/driver"):
            driver.attrib.pop("discard", None)

    redefine(node, change)


def rename_disk(node: Node) -> None:
    def change(domain: ET.Element) -> None:
        for serial in domain.findall("devices/disk/serial"):
            serial.text = "other"

    redefine(node, change)


def stop_autostart(node: Node) -> None:
    node.virsh("autostart", "--disable", node.name("vm"))


def delete_bridge(node: Node) -> None:
    run("ip", "link", "del", node.vswitch)


def change_mtu(node: Node) -> None:
    run("ip", "link", "set", node.vswitch, "mtu", "1280")


def bridge_down(node: Node) -> None:
    run("ip", "link", "set", node.vswitch, "down")


def stop_pool(node: Node) -> None:
    node.virsh("pool-destroy", node.pool)


def undefine_pool(node: Node) -> None:
    node.virsh("pool-destroy", node.pool)
    node.virsh("pool-undefine", node.pool)


def pool_without_autostart(node: Node) -> None:
    node.virsh("pool-autostart", "--disable", node.pool)


CHANGES = {
    undefine: "instance define",
    change_memory: "instance redefine",
    change_processors: "instance redefine",
    withhold_memory: "instance redefine",
    detach_network_device: "instance redefine",
    move_network_device: "instance redefine",
    detach_volume: "instance redefine",
    eject_seed: "instance redefine",
    remove_seed: "instance seed",
    overwrite_seed: "instance seed",
    cut_seed: "instance seed",
    remove_console_log: "instance redefine",
    remove_console: "instance redefine",
    log_console_elsewhere: "instance redefine",
    remove_screen: "instance redefine",
    open_screen: "instance redefine",
    change_processor_mode: "instance redefine",
    forget_discarding: "instance redefine",
    rename_disk: "instance redefine",
    stop_autostart: "instance redefine",
    delete_bridge: "vswitch bridge",
    change_mtu: "vswitch bridge",
    bridge_down: "vswitch bridge",
    stop_pool: "storage_pool_node start",
    undefine_pool: "storage_pool_node define",
    pool_without_autostart: "storage_pool_node start",
}


@pytest.fixture(scope="module")
def drifting(make_module_lab: Callable[..., Node]) -> Node:
    """A node whose cloud is whole again after each test that passes."""
    made = make_module_lab(Node)
    made.apply(*cloud(made))
    return made


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_change_outside_is_reported_and_repaired(drifting: Node, change: Repair) -> None:
    node = drifting
    before = comparable(node)
    change(node)
    assert comparable(node) != before
    said = node.apply(*cloud(node), check=True)
    done = node.apply(*cloud(node))
    assert done.actions == [CHANGES[change]]
    assert agrees(said["plan"], done["plan"])
    assert comparable(node) == before
    assert not node.apply(*cloud(node)).changed


def comparable(node: Node) -> Args:
    """The host, but for moments and for what libvirt finds out or chooses by itself."""
    host = node.host()
    return {
        "domains": {name: definition(item) for name, item in host["domains"].items()},
        "pools": {
            name: (item["active"], item["autostart"]) for name, item in host["pools"].items()
        },
        "bridges": host["bridges"],
        "up": is_up(node),
        "files": [name for name in host["files"] if name != "vm.xml"],
        "seeds": [files_in(path) for path in node.directory.glob("lib/seeds/*")],
    }


def files_in(seed: Path) -> str:
    """What a seed says of its host, if it can be read."""
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory, "meta-data")
        quietly("xorriso", "-osirrox", "on", "-indev", str(seed), "-extract", "/meta-data",
                str(target))  # fmt: skip
        return target.read_text() if target.exists() else ""


def definition(domain: Args) -> Args:
    """A domain's definition without the places of devices on their buses."""
    root = ET.fromstring(domain["xml"])  # noqa: S314
    for device in root.findall("devices/*"):
        for address in device.findall("address"):
            device.remove(address)
    texts = [ET.tostring(part, encoding="unicode").split() for part in root]
    devices = [ET.tostring(part, encoding="unicode").split() for part in root.findall("devices/*")]
    return {"parts": texts[:-1], "devices": sorted(devices), "autostart": domain["autostart"]}


def is_up(node: Node) -> bool:
    """Whether the vSwitch's bridge is up."""
    flags = Path("/sys/class/net", node.vswitch, "flags")
    return flags.exists() and bool(int(flags.read_text(), 16) & 1)


def test_change_of_the_running_machine_alone_is_repaired_too(node: Node) -> None:
    name, medium = node.name("vm"), str(node.image("cd.iso", "raw"))
    entry = {"kind": "instance", **node.instance(name, cdrom=medium), "state": "started"}
    node.apply(entry)
    node.virsh("change-media", name, "sdy", "--eject", "--live", "--force")
    assert node.live(name).find(f"devices/disk/source[@file='{medium}']") is None
    assert node.apply(entry).actions == ["instance change-medium"]
    assert node.live(name).find(f"devices/disk/source[@file='{medium}']") is not None
    assert not node.apply(entry).changed


def test_running_guest_has_its_seed_again_that_was_overwritten(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.instance(name, cloud_init={}, state="started"))
    (seed,) = node.directory.glob("lib/seeds/*")
    pid = Path(f"/run/libvirt/qemu/{name}.pid").read_text()
    (opened,) = [
        path for path in Path("/proc", pid, "fd").iterdir() if path.resolve() == seed.resolve()
    ]
    with seed.open("r+b") as file:
        file.write(b"x" * 65536)
    assert node.run("instance", name=name).actions == ["instance seed"]
    assert name in files_in(opened)
    assert not node.run("instance", name=name).changed


def test_stopped_machine_is_started_again(node: Node) -> None:
    name = node.name("vm")
    entry = {"kind": "instance", **node.instance(name), "state": "started"}
    node.apply(entry)
    node.virsh("destroy", name)
    assert node.apply(entry).actions == ["instance start"]
    assert node.running() == [name]
    assert not node.apply(entry).changed


def test_processors_that_somebody_withheld_are_there_again(node: Node) -> None:
    name = node.name("vm")
    entry = node.instance(name, cpu={"cores": 2})
    node.run("instance", **entry)
    node.virsh("setvcpus", name, "1", "--config")
    done = node.run("instance", **entry)
    assert done["plan"][0]["before"] == {"withheld_vcpus": 1}
    vcpu = node.domain(name).find("vcpu")
    assert vcpu is not None
    assert (vcpu.text, vcpu.get("current")) == ("2", None)
    assert not node.run("instance", **entry).changed


def test_what_an_operator_added_stays(node: Node) -> None:
    name, extra = node.name("vm"), node.image("extra.qcow2")
    node.run("instance", **node.instance(name))
    node.virsh("attach-disk", name, str(extra), "vdx", "--subdriver", "qcow2", "--config")
    node.virsh(
        "attach-interface", name, "bridge", "other", "--mac", "52:54:00:00:0a:0b", "--config"
    )
    node.virsh("desc", name, "--config", "--new-desc", "mine")
    marked = ("--uri", "http://example.net/x", "--key", "x", "--set", "<a/>")
    node.virsh("metadata", name, *marked, "--config")
    text = node.virsh("dumpxml", name, "--inactive")
    text = re.sub("machine='pc-q35-[^']*'", "machine='pc-q35-6.2'", text)
    text = text.replace("<devices>", "<cputune><shares>512</shares></cputune><devices>", 1)
    node.virsh("define", str(node.file("vm.xml", text.encode())))
    assert not node.run("instance", **node.instance(name)).changed
    node.run("instance", name=name, memory="48MiB")
    domain = node.domain(name)
    assert domain.findtext("memory") == str(48 * 1024)
    assert domain.findtext("description") == "mine"
    assert domain.find("metadata/{http://example.net/x}a") is not None
    assert domain.findtext("cputune/shares") == "512"
    if platform.machine() == "x86_64":
        assert domain.find("os/type").get("machine") == "pc-q35-6.2"
    assert domain.find(f"devices/disk/source[@file='{extra}']") is not None
    assert domain.find("devices/interface/mac[@address='52:54:00:00:0a:0b']") is not None


def test_missing_data_of_a_volume_is_an_error_and_nothing_is_made_anew(node: Node) -> None:
    node.run("volume", **node.volume("data"))
    image = node.image_of("data")
    image.unlink()
    result = node.refused("volume", **node.volume("data"))
    assert result.code == "conflict"
    assert str(image) in result.message
    assert "recreate_missing" in result.message
    assert not image.exists()
    assert node.run("volume", **node.volume("data"), recreate_missing=True).changed
    assert node.size_of("data") == 4 << 20


def test_missing_directory_of_a_pool_is_made_again(node: Node) -> None:
    (node.directory / "pool").rmdir()
    assert node.apply(node.pool_entry()).actions == ["storage_pool_node start"]
    assert (node.directory / "pool").is_dir()


def test_one_of_many_definitions_that_was_changed_is_found(node: Node) -> None:
    names = [node.name(f"vm{number:02}") for number in range(33)]
    manifest = [{"kind": "instance", "name": name, "memory": "32MiB"} for name in names]
    node.apply(*manifest)
    # From so many on, those that are as they were last time are not read again.
    assert list(node.directory.glob("lib/definitions-*.json"))
    assert not node.apply(*manifest).changed
    node.virsh("setmaxmem", names[7], "64M", "--config")
    repaired = node.apply(*manifest)
    assert repaired.actions == ["instance redefine"]
    assert repaired["plan"][0]["name"] == names[7]
    assert node.domain(names[7]).findtext("memory") == str(32 * 1024)
    assert not node.apply(*manifest).changed
