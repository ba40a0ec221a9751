"""What a node needs from Debian, at its real size: the mirror has all of it, and not much more."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from debian import KEYRING, debian
from mirror_bed import PACKAGE, PARTS, Builder, Mirror, SourceRepository, platform, run, served

ROOT = PACKAGE.parent
KEPT = ROOT / ".cache/debian"
ARCHITECTURE = run("dpkg", "--print-architecture").decode().strip()


@pytest.mark.long
def test_a_node_is_installed_in_an_empty_root_from_the_mirror_alone(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, folder: Path
) -> None:
    needed = subprocess.run(
        ["debian/node-depends", ARCHITECTURE], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    depends = f"{', '.join(PARTS)}, {needed}"
    common = builder.deb("pce-common", "3.0", ARCHITECTURE, "meta", depends)
    upstream.release([*builder.platform("1.0"), common])
    with debian(KEPT) as url:
        mirror.configure(
            platform(upstream, architectures=[ARCHITECTURE]),
            {"name": "debian", "url": url, "distribution": "bookworm", "components": ["main"],
             "architectures": [ARCHITECTURE], "keyring": str(KEYRING), "base": True,
             "depends_of": ["pextra"]},
            transfers=8,
        )  # fmt: skip
        mirror.run("sync", "--publish")
    debs = [path.stat().st_size for path in mirror.public.glob("debian/pool/**/*.deb")]
    print(f"{len(debs)} packages of Debian, {sum(debs) / 1e6:.0f} MB")
    assert 200 < len(debs) < 2000
    assert sum(debs) < 1.5e9
    root = folder / "root"
    with served(mirror.public) as site:
        line = f"deb [signed-by={mirror.key()}] {site}"
        run(
            "unshare", "--mount", "mmdebstrap", "--mode=root", "--variant=apt",
            "--aptopt=APT::Install-Recommends \"false\"", "--dpkgopt=force-unsafe-io",
            "--include=pce-common", "bookworm", root,
            f"{line}/debian bookworm main", f"{line}/pextra bookworm common meta",
        )  # fmt: skip
    form = "${Package} ${Version} ${db:Status-Status}\n"
    text = run("dpkg-query", f"--root={root}", "-W", "-f", form).decode()
    rows = [line.split() for line in text.splitlines()]
    assert {state for _name, _version, state in rows} == {"installed"}
    there = {name: version for name, version, _state in rows}
    assert there["pce-common"] == "3.0"
    assert {name.strip() for name in needed.split(",")} <= set(there)
    assert os.access(root / "usr/sbin/libvirtd", os.X_OK)
