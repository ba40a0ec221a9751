"""Fixtures of the test bed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from mirror_site import Site

from mirror_bed import Builder, Key, Mirror, SourceRepository, platform, served


@pytest.fixture(scope="session")
def bed() -> Iterator[Path]:
    """A folder of the session's; short, because of the agents' sockets."""
    folder = Path(tempfile.mkdtemp(prefix="pxm-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def vendor(bed: Path) -> Iterator[Key]:
    """The key that the source is signed with."""
    key = Key(bed, "vendor")
    yield key
    key.stop()


@pytest.fixture(scope="session")
def stranger(bed: Path) -> Iterator[Key]:
    """Somebody else's key."""
    key = Key(bed, "stranger")
    yield key
    key.stop()


@pytest.fixture(scope="session")
def builder(bed: Path) -> Builder:
    """Builds packages."""
    return Builder(bed / "build")


@pytest.fixture
def folder(bed: Path) -> Iterator[Path]:
    """A folder of the test's."""
    path = Path(tempfile.mkdtemp(prefix="t", dir=bed))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def upstream(folder: Path, vendor: Key, builder: Builder) -> Iterator[SourceRepository]:
    """A source with the platform's first version."""
    repository = SourceRepository(folder / "source", vendor)
    repository.release(builder.platform("1.0"))
    yield repository
    repository.stop()


@pytest.fixture
def mirror(folder: Path, upstream: SourceRepository) -> Iterator[Mirror]:
    """A mirror of the source, made but not synced."""
    made = Mirror(folder / "mirror", platform(upstream))
    made.run("init")
    yield made
    made.stop()


@pytest.fixture
def published(mirror: Mirror) -> Mirror:
    """A mirror that serves the first version."""
    mirror.run("sync", "--publish")
    return mirror


@pytest.fixture
def site(mirror: Mirror) -> Iterator[str]:
    """The address that the mirror is served at."""
    mirror.public.mkdir(exist_ok=True)
    with served(mirror.public) as url:
        yield url


@pytest.fixture
def place(published: Mirror, folder: Path) -> Site:
    """A site that serves what the mirror does."""
    (bundle,) = published.run("export", "--output", folder / "out")["parts"]
    made = Site(folder, folder / "out/import-bundle.pyz", published.key())
    assert made.take(bundle).code == 0
    return made
