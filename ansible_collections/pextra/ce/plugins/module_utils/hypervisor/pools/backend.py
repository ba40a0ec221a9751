# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a type of storage pool has to offer.

A new type is one class beside ``directory`` and one line in ``types``.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class VolumeState:
    """A volume as it is on the host, sizes in bytes."""

    path: str
    format: str
    size: int
    allocated: int


@dataclass(frozen=True, slots=True)
class VolumeWanted:
    """A volume to make: file or device name, format, bytes, image to fill it from."""

    key: str
    format: str
    size: int
    image: str | None


@dataclass(frozen=True, slots=True)
class Usage:
    """How full a pool is, in bytes."""

    capacity: int
    available: int


class PoolBackend(Protocol):
    """One type of storage pool."""

    type: str
    formats: tuple[str, ...]

    def normalise(self, options: Mapping[str, Any], name: str) -> dict[str, Any]:
        """The pool's options, canonical; raises InputError."""

    def conflicts(self, mine: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
        """Why two pools of this type cannot be on one node, if so."""

    def describe(self, name: str, uuid: str, options: Mapping[str, Any]) -> ET.Element:
        """libvirt's definition of the pool."""

    def prepare(self, options: Mapping[str, Any]) -> None:
        """Make what the pool stands on, before it is defined."""

    def clear(self, options: Mapping[str, Any]) -> None:
        """Remove what ``prepare`` made, if nothing else is in it."""

    def path(self, options: Mapping[str, Any], key: str, format: str) -> str:
        """Where a volume is."""

    def look(self, options: Mapping[str, Any], key: str, format: str) -> VolumeState | None:
        """The volume as it is, None where there is none."""

    def remnant(self, options: Mapping[str, Any], key: str, format: str) -> VolumeState | None:
        """What an interrupted run left of a volume that was never finished."""

    def usage(self, options: Mapping[str, Any]) -> Usage | None:
        """How full the pool is; None where it is not there."""

    def create(self, options: Mapping[str, Any], wanted: Iterable[VolumeWanted]) -> None:
        """Make volumes; each appears complete or not at all."""

    def grow(self, options: Mapping[str, Any], key: str, format: str, size: int) -> None:
        """Make a volume larger that no running instance uses."""

    def remove(self, options: Mapping[str, Any], key: str, format: str) -> None:
        """Remove a volume."""
