# Copyright: pextra-ce contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record beside the image, from which the role sees that nothing has to be done."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an image was made from; `source` is whatever the caller wants to find again."""

    source: str
    image_sha256: str
    kernel_release: str
    packages: dict[str, str]

    def to_json(self) -> str:
        """Return the manifest as the text of its file."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"


def path_for(image: Path) -> Path:
    """Return the path of the manifest that belongs to `image`."""
    return image.with_name(f"{image.name}.json")
