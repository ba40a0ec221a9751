"""Bringing files of a source here: each is what its signed list says, or is not there."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, wait
from pathlib import Path

from pextra_mirror import files, index, interrupt
from pextra_mirror.errors import SourceRefused, TransferError
from pextra_mirror.index import Origin, Package
from pextra_mirror.release import Release
from pextra_mirror.turns import Turn
from pextra_mirror.upstream import Upstream


class Indexes:
    """The indexes of one verified state of a source; those that were fetched stay in the cache.

    Args:
        upstream: The source.
        name: What it is called.
        distribution: Which distribution.
        release: What its Release says.
        cache: Folder of indexes, each under its digest.
    """

    def __init__(
        self, upstream: Upstream, name: str, distribution: str, release: Release, cache: Path
    ) -> None:
        self.name = name
        self._upstream = upstream
        self._release = release
        self._folder = f"dists/{distribution}"
        self._cache = cache
        cache.mkdir(parents=True, exist_ok=True)

    def origins(self, component: str, architectures: Collection[str]) -> dict[str, Origin]:
        """The indexes of a component, fetched: of architectures, and the one for all of them.

        Raises:
            TransferError: One cannot be had.
            SourceRefused: There is none for an architecture.
        """
        found = {}
        names = [*architectures, *(["all"] if self._release.splits_all else [])]
        for architecture in names:
            if origin := self._origin(f"{component}/binary-{architecture}/Packages"):
                found[architecture] = origin
        for architecture in architectures:
            if not {architecture, "all"} & {*found}:
                raise SourceRefused(
                    f"source {self.name} has no index of {component} for {architecture}: "
                    f"{self._upstream.url}/{self._folder}/{component}/binary-{architecture}/"
                    "Packages"
                )
        return found

    def _origin(self, stem: str) -> Origin | None:
        """An index that was fetched, however it is packed; None if the Release names none."""
        names = [f"{stem}{end}" for end in index.ENDS if f"{stem}{end}" in self._release.files]
        # A source may list what it has not, as Debian does.
        for name in names:
            if self._has(name, missing_ok=name != names[-1]):
                return Origin(name, self._release.files[name].digest)
        return None

    def packages(
        self, component: str, architecture: str, origins: Mapping[str, Origin]
    ) -> list[Package]:
        """The packages of a component for an architecture, with those for all architectures.

        Raises:
            SourceRefused: An index is none.
        """
        found, of_all = (
            [*index.packages(self.name, component, index.stanzas(self.text(origins[item])))]
            if item in origins else [] for item in (architecture, "all")
        )  # fmt: skip
        return index.with_all(found, of_all) if of_all else found

    def text(self, origin: Origin) -> bytes:
        """An index that was fetched.

        Raises:
            SourceRefused: It cannot be unpacked.
        """
        data = (self._cache / origin.digest).read_bytes()
        return index.unpacked(self.name, origin.name, data)

    def earlier(self, origin: Origin) -> bytes | None:
        """An index that was fetched for an earlier state; None if it is not here, or damaged."""
        digest = files.digest_of(self._cache / origin.digest, origin.digest)
        return self.text(origin) if digest == origin.digest else None

    def _has(self, name: str, *, missing_ok: bool) -> bool:
        """Whether a file that the Release names is in the cache; it is fetched if it is not."""
        file = self._release.files[name]
        cached = self._cache / file.digest
        if files.digest_of(cached, file.digest) == file.digest:
            return True
        path, data = f"{self._folder}/{name}", None
        if self._release.by_hash:
            # apt asks for the name, too, where it is not there by its hash.
            hashed = f"{path.rpartition('/')[0]}/{file.by_hash}"
            data = self._upstream.get(hashed, file.size, missing_ok=True)
        if data is None:
            data = self._upstream.get(path, file.size, missing_ok=missing_ok)
        if data is None:
            return False
        files.write(cached, data, ours=True)
        if files.digest_of(cached, file.digest) != file.digest:
            cached.unlink()
            raise TransferError(
                f"{self._upstream.url}/{path} is not what the signed Release says",
                "If the source is being published right now, try again in a moment",
            )
        return True

    def forget_others(self) -> None:
        """Remove indexes of earlier states."""
        current = {file.digest for file in self._release.files.values()}
        for path in self._cache.iterdir():
            if path.name not in current:
                files.remove(path)


def fetch(
    upstream: Upstream, wanted: Iterable[Package], parts: Path, folder: Path, transfers: int,
    on_bytes: Callable[[int], None],
) -> None:  # fmt: skip
    """Bring packages to a folder, each under its digest.

    Args:
        upstream: The source.
        wanted: Which packages.
        parts: Where unfinished ones are, and stay.
        folder: Where finished ones are put.
        transfers: How many at once.
        on_bytes: Told of each piece.

    Raises:
        TransferError: One cannot be had; the others, and what there is of it, stay.
    """

    for path in (parts, folder):
        path.mkdir(parents=True, exist_ok=True)
    left, queue, turn = set(os.listdir(parts)), deque(wanted), Turn()

    def work() -> None:
        with turn:
            while queue:
                package = queue.popleft()
                part = f"{parts}/{package.digest}"
                bring(upstream, package, part, on_bytes, resumed=package.digest in left)
                files.vouch(part)
                files.move(part, f"{folder}/{package.digest}")

    with upstream.shared(turn.idle), interrupt.threads(transfers, upstream.stop) as pool:
        jobs = [pool.submit(work) for _number in range(min(transfers, len(queue)))]
        for job in wait(jobs, return_when=FIRST_EXCEPTION).done:
            job.result()


def bring(
    upstream: Upstream, package: Package, part: str, on_bytes: Callable[[int], None], *,
    resumed: bool,
) -> None:  # fmt: skip
    """Bring a package to a file.

    Args:
        upstream: The source.
        package: Which package.
        part: The file.
        on_bytes: Told of each piece.
        resumed: There is something at its place already.

    Raises:
        TransferError: It cannot be had; what there is of it stays.
    """
    if resumed and not os.path.isfile(part):
        files.remove(Path(part))
        resumed = False
    good = _is_right(upstream, package, part, on_bytes, resumed=resumed)
    if resumed and not good:
        # What an earlier run left was something else, such as a page that asks for a login.
        on_bytes(-package.size)
        good = _is_right(upstream, package, part, on_bytes, resumed=False)
    if not good:
        os.unlink(part)
        raise TransferError(f"{upstream.url}/{package.origin} is not what the signed index says")


def _is_right(
    upstream: Upstream, package: Package, part: str, on_bytes: Callable[[int], None], *,
    resumed: bool,
) -> bool:  # fmt: skip
    """Bring what is missing of a package; whether all of it is what the signed list says."""
    digest = files.hasher(package.digest)
    with open(part, "rb+" if resumed else "wb") as file:
        while resumed and (chunk := file.read(files.CHUNK)):
            digest.update(chunk)
            on_bytes(len(chunk))

        def write(chunk: bytes) -> None:
            file.write(chunk)
            digest.update(chunk)
            on_bytes(len(chunk))

        upstream.resume(package.origin, file.tell(), package.size, write)
    return digest.hexdigest() == package.digest
