# SPDX-License-Identifier: Apache-2.0
"""The steps from the source tree to the results, in their order."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from pextra_image import architecture, foreign, grub, lock, pool, repository, results, root
from pextra_image import iso as iso_image
from pextra_image import packages as debian_packages
from pextra_image.architecture import AMD64
from pextra_image.extras import read as read_extras
from pextra_image.files import digest, sha256_of
from pextra_image.settings import Settings
from pextra_image.steps import Steps
from pextra_image.tree import Snapshot, digest_of, snapshot, tracked


def packages(settings: Settings) -> Path:
    """Make the Debian packages and put them into a signed repository; returns its folder."""
    tree = snapshot(settings.programs, settings.root)
    debs = _debs(settings, tree, Steps(settings.cache, settings.screen))
    target = settings.output / "apt"
    with settings.key() as key:
        repository.publish(settings.programs, debs, key, tree.epoch, target)
    return target


def _debs(settings: Settings, tree: Snapshot, steps: Steps) -> list[Path]:
    def make(folder: Path) -> None:
        work = settings.cache / "work"
        for deb in debian_packages.build(settings.programs, tree, settings.architecture, work):
            shutil.move(deb, folder / deb.name)
        shutil.rmtree(work)

    inputs = {
        "architecture": settings.architecture.name,
        "code": sha256_of(Path(debian_packages.__file__)),
        "epoch": str(tree.epoch),
        "files": tree.digest,
        "version": tree.version,
    }
    return sorted(steps.result("packages", inputs, make).glob("*.deb"))


def lock_packages(settings: Settings) -> Path:
    """Resolve the image's packages against the mirrors as they are now; returns the lock file."""
    repository_root = packages(settings)
    listing = (settings.root / "image/packages.list").read_text(encoding="utf-8")
    names = ["pce-common", "pextra-installer", *lock.wanted(listing, settings.architecture.name)]
    work = settings.cache / f"apt-{settings.architecture.name}"
    resolver = lock.Resolver(
        settings.programs, settings.architecture.name, settings.mirrors, repository_root, work
    )
    found = resolver.resolve(names)
    path = _lock_file(settings)
    if not path.exists() or lock.read(path).packages != found:
        # The time is in the images: it changes only together with the packages.
        lock.write(lock.Lock(settings.architecture.name, int(time.time()), found), path)
    return path


def _lock_file(settings: Settings) -> Path:
    return settings.root / f"image/lock/{settings.architecture.name}.json"


def root_steps(settings: Settings, epoch: int, debs: list[Path], steps: Steps) -> Path:
    """Make the root file system; returns the folder with it and with what boots it.

    Where locked packages are gone, the newest ones are locked in their place, and shown.

    :param epoch: the time of its files, in seconds since 1970.
    :param debs: our packages, which go into it beside Debian's.
    """
    try:
        return _locked_root_steps(settings, epoch, debs, steps)
    except pool.GoneError as gone:
        if settings.locked:
            raise
        _lock_again(settings, len(gone.packages))
    return _locked_root_steps(settings, epoch, debs, steps)


def _lock_again(settings: Settings, gone: int) -> None:
    say = settings.screen.say
    say(f"lock       locked packages that are gone: {gone}; the newest ones are locked")
    path = _lock_file(settings)
    before = {package.name: package.version for package in lock.read(path).packages}
    lock_packages(settings)
    after = {package.name: package.version for package in lock.read(path).packages}
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, "none"), after.get(name, "none")
        if old != new:
            say(f"lock       {name}: {old}, now {new}")
    say(f"lock       {path}: commit it, for others to build the same")


def _locked_root_steps(settings: Settings, epoch: int, own: list[Path], steps: Steps) -> Path:
    programs, screen = settings.programs, settings.screen
    pinned = lock.read(_lock_file(settings))
    code = sha256_of(Path(root.__file__))
    debs = settings.cache / "pool"

    def base(folder: Path) -> None:
        foreign.prepare(programs, screen, settings.architecture)
        pool.fetch(programs, screen, pinned, settings.mirrors, debs)
        root.make_base(programs, screen, pinned, debs, folder)

    lock_digest = sha256_of(_lock_file(settings))
    base_folder = steps.result("base", {"lock": lock_digest, "format": root.BASE_FORMAT}, base)
    elements = settings.root / "image/elements"
    names = tracked(programs, settings.root, ("image/elements",))
    inputs = {
        "base": base_folder.name,
        "code": code,
        "elements": digest_of(settings.root, names),
        "packages": digest(*(sha256_of(deb) for deb in own)),
    }
    base_tar = base_folder / "base.tar"

    def whole(folder: Path) -> None:
        foreign.prepare(programs, screen, settings.architecture)
        root.make_root(programs, screen, base_tar, own, elements, epoch, folder)

    return steps.result("root", {**inputs, "epoch": str(epoch)}, whole)


def iso(settings: Settings) -> Path:
    """Make the ISO and what lies beside it; returns the ISO."""
    programs = settings.programs
    extras = read_extras(settings.answers, settings.license_keys)
    root.check_name()
    tree = snapshot(programs, settings.root)
    steps = Steps(settings.cache, settings.screen)
    debs = _debs(settings, tree, steps)
    parts = root_steps(settings, tree.epoch, debs, steps)
    packages_there = results.installed((parts / "dpkg-status").read_text(encoding="utf-8"))
    names = {package.name for package in packages_there}
    product = f"Pextra CloudEnvironment {tree.version}"
    medium = iso_image.Medium(
        iso_image.identifier(parts, product, extras), product,
        settings.architecture, tree.epoch, "pextra-installer" in names, extras,
    )  # fmt: skip
    code = digest(*(sha256_of(Path(name)) for name in
                    (architecture.__file__, iso_image.__file__, grub.__file__)))  # fmt: skip
    inputs = {"code": code, "root": parts.name, "uuid": medium.uuid}
    made = steps.result(
        "iso",
        inputs,
        lambda folder: iso_image.make(programs, parts, medium, folder / "image.iso"),
    )
    with_answers = f"-answers-{extras.label}" if extras.label else ""
    name = f"pextra-ce-{tree.version}-{settings.architecture.name}{with_answers}.iso"
    target = settings.output / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copy2(made / "image.iso", target)
    inputs |= {"lock": sha256_of(_lock_file(settings)), "packages": tree.digest}
    bom = results.bill_of_materials(medium, packages_there, _hashes(settings, debs))
    with settings.key() as key:
        beside = results.write(programs, target, medium, inputs, bom, key)
    short = (
        "pextra-ce" if settings.architecture is AMD64 else f"pextra-ce-{medium.architecture.name}"
    )
    _link_latest(f"{short}{with_answers}.iso", target, beside)
    return target


def _hashes(settings: Settings, debs: list[Path]) -> dict[str, str]:
    """The SHA256 of each package of the root file system, Debian's and ours, by name."""
    hashes = {package.name: package.sha256 for package in lock.read(_lock_file(settings)).packages}
    return hashes | {deb.name.split("_")[0]: sha256_of(deb) for deb in debs}


def _link_latest(name: str, target: Path, beside: Sequence[Path]) -> None:
    """Let a short name be that of the newest ISO, and of each file that has its name and more.

    So pextra-ce.iso is the one for amd64, pextra-ce-arm64.iso the one for arm64, and the guide's
    commands find pextra-ce.iso.sha256 and the signatures.
    """
    for path in (target, *beside):
        if path.name.startswith(target.name):
            latest = target.with_name(f"{name}{path.name.removeprefix(target.name)}")
            latest.unlink(missing_ok=True)
            latest.symlink_to(path.name)
