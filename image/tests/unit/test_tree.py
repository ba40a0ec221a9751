# SPDX-License-Identifier: Apache-2.0
"""Versions and hashes of the source tree."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from pextra_image.run import ImageError
from pextra_image.tree import digest_of, released_version, version_of

VERSIONS = [
    version_of("0.1.0", "fffffff", "20261121000000", ""),
    version_of("0.1.0", "0000000", "20261122000000", ""),
    version_of("0.1.0", "0000000", "20261122000000", "89abcdef0123"),
    "0.1.0",
    version_of("0.2.0", "0000000", "20261222000000", ""),
]


@pytest.mark.parametrize(("older", "newer"), list(pairwise(VERSIONS)))
def test_dpkg_upgrades_from_older_commits_to_newer_ones_and_to_the_release(
    older: str, newer: str
) -> None:
    subprocess.run(["dpkg", "--compare-versions", older, "lt", newer], check=True)


def test_the_released_version_is_read_from_the_changelog() -> None:
    assert released_version("pextra-ce (1.2.3) bookworm; urgency=medium\n") == "1.2.3"
    with pytest.raises(ImageError, match="changelog"):
        released_version("* something\n")


def test_the_digest_sees_content_names_modes_and_link_targets(tmp_path: Path) -> None:
    path, link = tmp_path / "a", tmp_path / "l"
    path.write_text("one")
    link.symlink_to("a")
    files = (Path("a"), Path("l"))
    seen = {digest_of(tmp_path, files)}
    path.write_text("two")
    seen.add(digest_of(tmp_path, files))
    path.chmod(0o755)
    seen.add(digest_of(tmp_path, files))
    link.unlink()
    link.symlink_to("b")
    seen.add(digest_of(tmp_path, files))
    path.rename(tmp_path / "c")
    seen.add(digest_of(tmp_path, (Path("c"), Path("l"))))
    assert len(seen) == 5
