"""A machine's hardware as the installer sees it, and as a hardware file records it."""

from __future__ import annotations

import pathlib
from enum import StrEnum
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from pextra_installer.problems import HardwareError, path_text

_CONFIG = ConfigDict(extra="forbid")


class Firmware(StrEnum):
    """How the machine starts."""

    BIOS = "bios"
    UEFI = "uefi"


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Content:
    """One thing on a disk: a partition, a volume, an array, a file system."""

    path: str
    kind: str
    size: int
    depth: int = 0
    file_system: str | None = None
    label: str | None = None
    mounted: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line for people, such as ``/dev/sda1 part 1.0 GB vfat "EFI" mounted at /boot``."""
        parts = [self.path, self.kind, decimal(self.size)]
        parts += [self.file_system] if self.file_system else []
        parts += [f'"{self.label}"'] if self.label else []
        parts += [f"mounted at {', '.join(self.mounted)}"] if self.mounted else []
        return " ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Disk:
    """A whole disk; ``ssd`` is None where it cannot be known.

    ``protected`` says why it is never an installation's target, None where it may be.
    """

    path: str
    size: int
    model: str | None = None
    serial: str | None = None
    by_id: tuple[str, ...] = ()
    ssd: bool | None = None
    removable: bool = False
    transport: str | None = None
    table: str | None = None
    contents: tuple[Content, ...] = ()
    protected: str | None = None

    def __str__(self) -> str:
        """One line for people, such as ``/dev/sda  500 GB SSD  Example 500  serial S1``."""
        medium = {True: " SSD", False: " hard disk", None: ""}[self.ssd]
        parts = [self.path, f"{decimal(self.size)}{medium}"]
        parts += [self.model] if self.model else []
        parts += [f"serial {self.serial}"] if self.serial else []
        return "  ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Interface:
    """A wired network interface; ``link`` is whether a cable leads anywhere.

    ``addresses`` are with their prefix lengths; they, ``gateways`` and ``name_servers`` are what
    DHCP and router advertisements gave while the installer runs.
    """

    name: str
    mac: str
    link: bool
    physical: bool = True
    speed: int | None = None
    driver: str | None = None
    addresses: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    name_servers: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line for people, such as ``eno1  3c:ec:ef:00:00:01  link  192.0.2.57/24``."""
        return "  ".join((self.name, self.mac, "link" if self.link else "NO LINK", *self.addresses))


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Requirement:
    """One of the platform's requirements, and how the machine meets it."""

    name: str
    requirement: str
    found: str
    level: Literal["pass", "warning", "fail"]
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Hardware:
    """A machine. Sizes are in bytes, speeds in Mbit/s."""

    version: Literal[1] = 1
    architecture: str
    firmware: Firmware
    secure_boot: bool | None = None
    cpu: str = ""
    cores: int
    memory: int
    disks: tuple[Disk, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    requirements: tuple[Requirement, ...] = ()


def decimal(size: int) -> str:
    """A size as disks are sold, such as ``500 GB``."""
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}" if size < 100 * unit else f"{size // unit} {name}"
    return f"{size} B"


_ADAPTER = TypeAdapter(Hardware)


def to_json(hardware: Hardware) -> str:
    """The text of a hardware file."""
    return _ADAPTER.dump_json(hardware, indent=2, exclude_none=True).decode() + "\n"


def read(path: pathlib.Path) -> Hardware:
    """The hardware that a file records.

    Raises:
        HardwareError: The file cannot be read, or is no hardware file.
    """
    hint = "Write one on the machine: pextra-installer probe --output probe.json"
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except OSError as error:
        raise HardwareError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = path_text(first["loc"])
        reason = f"{where}: {first['msg']}" if where else first["msg"]
        raise HardwareError(f"{path} is no hardware file: {reason}", hint) from None
