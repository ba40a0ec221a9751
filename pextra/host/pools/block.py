# SPDX-License-Identifier: Apache-2.0
"""Volumes that are block devices: what their pools have in common. They are raw."""

from __future__ import annotations

import os
import stat

from pextra.host.hypervisor import images
from pextra.host.pools.backend import Format, Pool, Remote, Volume
from pextra.model.errors import HostError

UNFINISHED = ".unfinished"
"""What a volume's name ends with until it is complete."""


class BlockPool:
    """Devices of the node; without credentials unless the type says otherwise."""

    formats: tuple[Format, ...] = ("raw",)
    grows_in_guest = False

    def prepare(self, pool: Pool) -> None:
        """There is nothing to make."""

    def prepared(self, pool: Pool) -> bool:
        """There are no credentials."""
        return True

    def clear(self, pool: Pool) -> None:
        """There is nothing to remove."""

    def remote(self, pool: Pool, volume: Volume) -> Remote | None:
        """QEMU opens the device."""
        return None


def fill(image: str, device: str) -> None:
    """Write an image's content to a device that reads as zeroes.

    Raises:
        HostError: qemu-img refused, the device is none, or it did not take all of the image.
    """
    if not stat.S_ISBLK(os.stat(device).st_mode):
        raise HostError(f"{device} is no block device")
    source = images.whole_source(image)
    images.convert(image, source.format, device, "raw")
