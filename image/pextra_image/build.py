# SPDX-License-Identifier: Apache-2.0
"""The steps from the source tree to the results, in their order."""

from __future__ import annotations

import shutil
from pathlib import Path

from pextra_image import packages as debian_packages
from pextra_image import repository
from pextra_image.files import sha256_of
from pextra_image.settings import Settings
from pextra_image.steps import Steps
from pextra_image.tree import Snapshot, snapshot


def packages(settings: Settings) -> Path:
    """Make the Debian packages and put them into a signed repository; returns its folder."""
    tree = snapshot(settings.programs, settings.root)
    debs = _debs(settings, tree, Steps(settings.cache, settings.screen))
    target = settings.output / "apt"
    repository.publish(settings.programs, debs, settings.key(), tree.epoch, target)
    return target


def _debs(settings: Settings, tree: Snapshot, steps: Steps) -> list[Path]:
    def make(folder: Path) -> None:
        work = settings.cache / "work"
        for deb in debian_packages.build(settings.programs, tree, settings.architecture, work):
            shutil.move(deb, folder / deb.name)
        shutil.rmtree(work)

    inputs = {
        "architecture": settings.architecture,
        "code": sha256_of(Path(debian_packages.__file__)),
        "epoch": str(tree.epoch),
        "files": tree.digest,
        "version": tree.version,
    }
    return sorted(steps.result("packages", inputs, make).glob("*.deb"))
