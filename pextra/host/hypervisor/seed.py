# SPDX-License-Identifier: Apache-2.0
"""NoCloud seeds: the CD-ROM image from which a guest's cloud-init configures itself.

Source: https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pextra.model.errors import HostError
from pextra.model.ids import LENGTH

if TYPE_CHECKING:
    from pextra.model.rows import InstanceCloudInit

VOLUME_ID = "cidata"
_UNFINISHED = ".unfinished"
_OTHERS = re.compile(r"[^\n -~]")
"""What is written as its number: all but line ends and ASCII."""
_EPOCH = 1_000_000_000
_ID_LENGTH = len("inst-") + LENGTH


def contents(id: str, name: str, cloud_init: InstanceCloudInit) -> dict[str, str]:
    """The seed's files by name. Mappings become JSON.

    Args:
        id: What cloud-init knows the instance as; another one is another machine to it.
        name: The host name.
        cloud_init: What the instance's row says.
    """
    meta = {"instance-id": id, "local-hostname": name, **(cloud_init.get("meta_data") or {})}
    files = {
        "meta-data": _yaml(meta),
        "user-data": cloud_init.get("user_data") or "#cloud-config\n{}\n",
    }
    if cloud_init.get("vendor_data"):
        files["vendor-data"] = str(cloud_init["vendor_data"])
    if cloud_init.get("network_config"):
        files["network-config"] = _yaml(cloud_init["network_config"])
    return files


def _yaml(value: Mapping[str, object]) -> str:
    """A mapping as JSON that is YAML too.

    JSON writes a letter beyond 16 bits as two halves, which YAML keeps apart and nobody can write.
    """
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    return _OTHERS.sub(_escaped, text)


def _escaped(letter: re.Match[str]) -> str:
    number = ord(letter[0])
    return f"\\u{number:04x}" if number < 1 << 16 else f"\\U{number:08x}"


def digest(files: Mapping[str, str]) -> str:
    """What tells a seed with these contents from others, twelve hexadecimal digits."""
    return hashlib.sha256(json.dumps(dict(files), sort_keys=True).encode()).hexdigest()[:12]


def path(directory: str, id: str, digest: str) -> str:
    """Where the seed of this digest is."""
    return f"{directory}/seeds/{id}-{digest}.iso"


def _moment(target: str) -> int:
    """The modification time that a whole seed has: none other, until something writes to it."""
    digest = os.path.basename(target)[_ID_LENGTH + 1 :].removesuffix(".iso")
    return _EPOCH + int(hashlib.sha256(digest.encode()).hexdigest()[:6], 16)


def is_whole(target: str) -> bool:
    """Whether a seed is as it was made here."""
    try:
        return int(os.stat(target).st_mtime) == _moment(target)
    except OSError:
        return False


def write(target: str, files: Mapping[str, str]) -> None:
    """Make the seed; only root reads it. What is not whole is seen, and made again.

    One that is there is written anew in its place, so that a running guest, which has it open,
    sees it.

    Raises:
        HostError: xorriso is missing or failed, or the files cannot be written.
    """
    part = target + _UNFINISHED
    try:
        os.makedirs(os.path.dirname(target), mode=0o711, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        os.mkdir(part, mode=0o700)
        for name, text in files.items():
            with open(f"{part}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        _make_iso(f"{part}/seed.iso", [f"{part}/{name}" for name in files])
        os.chmod(f"{part}/seed.iso", 0o600)
        if os.path.exists(target):
            with open(f"{part}/seed.iso", "rb") as new, open(target, "r+b") as old:
                shutil.copyfileobj(new, old)
                old.truncate()
        else:
            os.replace(f"{part}/seed.iso", target)
        os.utime(target, (_moment(target), _moment(target)))
    except OSError as error:
        raise HostError(
            f"cloud-init seed {target} could not be made: {error.strerror}",
            hint="Free space on that file system" if error.errno == 28 else None,
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _make_iso(target: str, paths: Iterable[str]) -> None:
    argv = ["xorriso", "-as", "mkisofs", "-quiet", "-V", VOLUME_ID, "-J", "-r", "-o", target]
    try:
        done = subprocess.run([*argv, *paths], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise HostError(
            "xorriso is missing on this host", hint="Install the package xorriso"
        ) from None
    if done.returncode != 0:
        told = " ".join(done.stderr.split())
        full = "free space" in told or "No space left" in told
        raise HostError(
            f"making a cloud-init seed failed: {told}",
            hint=f"Free space where {target} is" if full else None,
        )


def found(directory: str, ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What is there of the seeds of these instances, unfinished ones too: one listing."""
    wanted = frozenset(ids)
    try:
        names = sorted(os.listdir(f"{directory}/seeds"))
    except FileNotFoundError:
        return {}
    seeds: dict[str, tuple[str, ...]] = {}
    for name in names:
        id = name[:_ID_LENGTH]
        if id in wanted:
            seeds[id] = (*seeds.get(id, ()), f"{directory}/seeds/{name}")
    return seeds
