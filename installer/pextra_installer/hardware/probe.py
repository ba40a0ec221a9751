"""Reading this machine. What the collection's preflight reads is read by it."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
from collections.abc import Mapping, Sequence

from pextra.host.disks.devices import COLUMNS
from pextra.host.preflight import checks
from pextra.host.preflight.machine import read_machine
from pextra_installer.hardware.block import disks_of
from pextra_installer.hardware.model import Disk, Firmware, Hardware, Interface, Requirement
from pextra_installer.problems import HardwareError

ROOT = pathlib.Path("/")


def probe(root: pathlib.Path = ROOT) -> Hardware:
    """This machine.

    Args:
        root: Where ``proc``, ``sys`` and ``dev`` are, for a recorded machine.

    Raises:
        HardwareError: lsblk or ip cannot be run.
    """
    machine = read_machine(root)
    efi = root / "sys/firmware/efi"
    return Hardware(
        architecture=machine.process.architecture,
        firmware=Firmware.UEFI if efi.is_dir() else Firmware.BIOS,
        secure_boot=_secure_boot(efi),
        cpu=machine.cpu_model,
        cores=machine.cores,
        memory=machine.memory,
        disks=read_disks(root),
        interfaces=_interfaces(root, {one.name: one.speed for one in machine.interfaces}),
        requirements=tuple(
            Requirement(
                name=check.name,
                requirement=check.requirement,
                found=check.found,
                level=check.level.value,
                hint=check.hint,
            )
            for check in checks.run_checks(machine)
        ),
    )


def read_disks(root: pathlib.Path = ROOT) -> tuple[Disk, ...]:
    """The disks, read anew.

    Raises:
        HardwareError: lsblk cannot be run.
    """
    tree = _json(["lsblk", "--json", "--bytes", "--output", COLUMNS])
    if not isinstance(tree, dict):
        raise HardwareError("lsblk did not print what it should")
    return disks_of(tree, _by_id(root / "dev/disk/by-id"))


def _json(argv: Sequence[str]) -> object:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError as error:
        raise HardwareError(f"{argv[0]} cannot be run: {error.strerror}") from None
    if done.returncode != 0 and not done.stdout.strip():
        raise HardwareError(f"{argv[0]} failed: {done.stderr.strip()}")
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise HardwareError(f"{argv[0]} printed no JSON: {done.stdout[:200]!r}") from None


def _by_id(directory: pathlib.Path) -> Mapping[str, Sequence[str]]:
    names: dict[str, list[str]] = {}
    try:
        links = sorted(directory.iterdir())
    except OSError:
        return names
    for link in links:
        names.setdefault(os.path.realpath(link), []).append(link.name)
    return names


def _secure_boot(efi: pathlib.Path) -> bool | None:
    """Whether Secure Boot is on: the last byte of the variable (UEFI 2.10, section 3.3)."""
    for variable in efi.glob("efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"):
        try:
            return variable.read_bytes()[-1:] == b"\x01"
        except OSError:
            return None
    return None


def _interfaces(root: pathlib.Path, speeds: Mapping[str, int | None]) -> tuple[Interface, ...]:
    """The wired interfaces that the preflight knows, with their links and addresses."""
    addresses, gateways, name_servers = _addresses(), _gateways(), _name_servers()
    found = []
    for name, speed in speeds.items():
        directory = root / "sys/class/net" / name
        physical = (directory / "device").exists()
        if not physical and (directory / "bridge").exists():
            continue
        driver = directory / "device/driver"
        found.append(
            Interface(
                name=name,
                mac=_text(directory / "address"),
                link=_text(directory / "carrier") == "1",
                physical=physical,
                speed=speed,
                driver=os.path.basename(os.readlink(driver)) if driver.is_symlink() else None,
                addresses=addresses.get(name, ()),
                gateways=gateways.get(name, ()),
                name_servers=name_servers.get(name, ()),
            )
        )
    return tuple(found)


def _addresses() -> dict[str, tuple[str, ...]]:
    listing = _json(["ip", "-json", "address", "show"])
    found: dict[str, tuple[str, ...]] = {}
    for link in listing if isinstance(listing, list) else ():
        found[str(link.get("ifname"))] = tuple(
            f"{one['local']}/{one['prefixlen']}"
            for one in link.get("addr_info", ())
            if one.get("scope") == "global"
        )
    return found


def _gateways() -> dict[str, tuple[str, ...]]:
    """The routers that lead elsewhere, by interface; none where that cannot be read."""
    found: dict[str, tuple[str, ...]] = {}
    for family in ("-4", "-6"):
        try:
            listing = _json(["ip", "-json", family, "route", "show", "default"])
        except HardwareError:
            continue
        for route in listing if isinstance(listing, list) else ():
            name, gateway = str(route.get("dev")), route.get("gateway")
            if gateway and gateway not in found.get(name, ()):
                found[name] = (*found.get(name, ()), str(gateway))
    return found


def _name_servers() -> dict[str, tuple[str, ...]]:
    """DNS servers by interface, as systemd-resolved has them; none where it does not run."""
    try:
        done = subprocess.run(["resolvectl", "dns"], capture_output=True, text=True, check=False)
    except OSError:
        return {}
    return servers_of(done.stdout)


def servers_of(told: str) -> dict[str, tuple[str, ...]]:
    """DNS servers by interface, of what ``resolvectl dns`` prints."""
    lines = re.findall(r"^Link \d+ \((\S+)\): (.+)$", told, re.MULTILINE)
    return {name: tuple(servers.split()) for name, servers in lines}


def _text(path: pathlib.Path) -> str:
    # A link that is down refuses to tell its carrier.
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
