# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NoCloud seeds: the CD-ROM image from which a guest's cloud-init configures itself.

Source: https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils.errors import HostError

VOLUME_ID = "cidata"


def contents(id: str, name: str, cloud_init: Mapping[str, Any]) -> dict[str, str]:
    """The seed's files by name. Mappings become JSON, which is YAML too."""
    meta = {"instance-id": id, "local-hostname": name, **(cloud_init.get("meta_data") or {})}
    files = {
        "meta-data": json.dumps(meta, indent=1, sort_keys=True) + "\n",
        "user-data": cloud_init.get("user_data") or "#cloud-config\n{}\n",
    }
    if cloud_init.get("network_config"):
        files["network-config"] = (
            json.dumps(cloud_init["network_config"], indent=1, sort_keys=True) + "\n"
        )
    return files


def path(directory: str, id: str, files: Mapping[str, str]) -> str:
    """Where the seed with these contents is; other contents have another path."""
    digest = hashlib.sha256(json.dumps(dict(files), sort_keys=True).encode()).hexdigest()[:12]
    return f"{directory}/seeds/{id}-{digest}.iso"


def write(target: str, files: Mapping[str, str]) -> None:
    """Make the seed, whole or not at all; only root reads it.

    Raises:
        HostError: xorriso is missing or failed.
    """
    os.makedirs(os.path.dirname(target), mode=0o711, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(target)) as work:
        for name, text in files.items():
            with open(f"{work}/{name}", "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(text)
        argv = ["xorriso", "-as", "mkisofs", "-quiet", "-V", VOLUME_ID, "-J", "-r"]
        argv += ["-o", f"{work}/seed.iso", *(f"{work}/{name}" for name in files)]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise HostError(
                "xorriso is missing on this host", hint="Install the package xorriso"
            ) from None
        if done.returncode != 0:
            raise HostError(f"making a cloud-init seed failed: {' '.join(done.stderr.split())}")
        os.chmod(f"{work}/seed.iso", 0o600)
        os.replace(f"{work}/seed.iso", target)


def remove_others(directory: str, id: str, keep: str | None) -> None:
    """Remove the seeds of an instance but one."""
    for found in glob.glob(f"{directory}/seeds/{glob.escape(id)}-*.iso"):
        if found != keep:
            os.unlink(found)
