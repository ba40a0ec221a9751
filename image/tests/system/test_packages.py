# SPDX-License-Identifier: Apache-2.0
"""The repository that `make packages` made, used as a user would: in an empty Debian 12."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from container import booted
from pextra_image.run import Programs
from pextra_image.settings import ROOT
from pextra_image.sources import apt_sources

REPOSITORY = ROOT / "dist/apt"
BASE = ROOT / ".cache/image/test-base.tar"
PACKAGES = {
    "pce-ansible", "pce-collection", "pce-common", "pce-config", "pextra-installer",
    "python3-pextra",
}  # fmt: skip
FILES = ROOT / "image/elements/pextra-node/install.d/55-pextra-files"
NODE = {
    "site_organization": "Example",
    "site_node": "node1",
    "site_admin": "pceadmin",
    "site_demo": False,
    # A container has what this machine has.
    "preflight_ignore": [
        "architecture", "avx2", "cores", "hardware_raid", "kvm", "memory", "network", "storage",
        "storage_medium", "virtualization",
    ],
}  # fmt: skip
PREPARATION = """\
- name: Do what the installer does for the first boot
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Prepare it
      ansible.builtin.include_role:
        name: pextra.ce.install
        tasks_from: first_boot.yml
"""


def inside(root: Path, *argv: str) -> str:
    """Run a program in the Debian below a folder."""
    done = subprocess.run(
        ["chroot", str(root), "/usr/bin/env", "-i", "HOME=/root", "LC_ALL=C.UTF-8",
         "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", *argv],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, f"{argv}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A minimal Debian 12 with the repository as a further source of apt."""
    sources = tmp_path_factory.mktemp("apt") / "sources.list"
    sources.write_text(apt_sources(Programs(), ()))
    if not BASE.exists():
        BASE.parent.mkdir(parents=True, exist_ok=True)
        part = BASE.with_suffix(".part.tar")
        argv = ["mmdebstrap", "--quiet", "--variant=apt", "bookworm", str(part), str(sources)]
        subprocess.run(argv, check=True)
        part.rename(BASE)
    root = tmp_path_factory.mktemp("debian")
    with tarfile.open(BASE) as archive:
        archive.extractall(root, numeric_owner=True)  # noqa: S202 - made above
    (root / "etc/apt/sources.list").write_text(sources.read_text())
    (root / "etc/apt/sources.list.d/pextra-ce.sources").write_text(
        "Types: deb\nURIs: file:/srv/pextra-ce\nSuites: bookworm\nComponents: common meta\n"
        "Signed-By: /srv/pextra-ce/pextra-ce.asc\n"
    )
    (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (root / "usr/sbin/policy-rc.d").chmod(0o755)
    repository = root / "srv/pextra-ce"
    repository.mkdir()
    mounts = [
        (["--bind", "--options=ro", str(REPOSITORY)], repository),
        (["--types=proc", "proc"], root / "proc"),
        (["--types=tmpfs", "tmpfs"], root / "dev/shm"),
    ]
    mounted: list[Path] = []
    try:
        for options, target in mounts:
            target.mkdir(exist_ok=True)
            subprocess.run(["mount", *options, str(target)], check=True)
            mounted.append(target)
        inside(root, "apt-get", "--quiet", "--error-on=any", "update")
        yield root
    finally:
        for target in reversed(mounted):
            subprocess.run(["umount", str(target)], check=True)
    shutil.rmtree(root)  # a gigabyte; not reached while something is still mounted in it


def test_lintian_finds_no_error() -> None:
    debs = sorted(map(str, REPOSITORY.glob("pool/*/*.deb")))
    assert {Path(deb).name.split("_")[0] for deb in debs} == PACKAGES
    subprocess.run(["lintian", "--allow-root", "--fail-on=error", "--quiet", *debs], check=True)


def test_a_changed_repository_is_refused(debian: Path, tmp_path: Path) -> None:
    release = (REPOSITORY / "dists/bookworm/InRelease").read_text()
    forged = tmp_path / "InRelease"
    forged.write_text(release.replace("Origin: pextra-ce", "Origin: pextra-cf"))
    key = REPOSITORY / "pextra-ce.asc"
    for path, good in ((REPOSITORY / "dists/bookworm/InRelease", True), (forged, False)):
        home = tmp_path / f"home-{good}"
        home.mkdir(mode=0o700)
        gpg = ["gpg", "--batch", "--quiet", "--homedir", str(home)]
        subprocess.run([*gpg, "--import", str(key)], check=True, capture_output=True)
        done = subprocess.run([*gpg, "--verify", str(path)], check=False, capture_output=True)
        assert (done.returncode == 0) is good


def install(root: Path, *packages: str) -> None:
    """Install packages with what they depend on, and no more."""
    inside(root, "apt-get", "--yes", "--quiet", "--no-install-recommends", "install", *packages)


def test_the_engine_is_the_one_that_the_collection_carries(tmp_path: Path) -> None:
    """`make packages` and `make engine` build it in two ways."""
    made = next(REPOSITORY.glob("pool/*/python3-pextra_*.deb"))
    subprocess.run([sys.executable, ROOT / "scripts/build_engine.py"], check=True)
    carried = ROOT / "ansible_collections/pextra/ce/roles/platform/files/python3-pextra.deb"
    kept = ("Package", "Architecture", "Depends", "Section", "Maintainer", "Description")
    contents, fields = [], []
    for number, deb in enumerate((made, carried)):
        folder = tmp_path / str(number)
        subprocess.run(["dpkg-deb", "--raw-extract", deb, folder], check=True)
        files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
        contents.append({
            str(name): (path.read_bytes(), path.stat().st_mode)
            for name, path in files.items()
            if not name.is_relative_to("DEBIAN") and not name.is_relative_to("usr/share")
        })  # fmt: skip
        said = subprocess.run(
            ["dpkg-deb", "--field", deb, *kept], check=True, capture_output=True, text=True
        ).stdout
        fields.append(re.sub(r",\s+", ", ", said))
    assert contents[0] == contents[1]
    assert "usr/bin/pextra-license" in contents[0]
    assert fields[0] == fields[1]


def test_the_engine_works_alone_in_an_empty_debian(debian: Path) -> None:
    install(debian, "python3-pextra")
    installed = inside(debian, "dpkg-query", "--show", "--showformat=${Package}\n").split()
    assert set(installed) & {"ansible", "ansible-core", "pce-ansible", "pce-collection"} == set()
    inside(debian, "/usr/bin/python3", "-P", "-c", "import pextra.calls.registry")
    assert "usage" in inside(debian, "pextra-license", "--help").lower()


def test_modules_of_the_collection_run_against_it(debian: Path) -> None:
    install(debian, "pce-collection", "python3-pextra")
    said = inside(
        debian, "ansible", "localhost", "--connection=local",
        "--extra-vars=ansible_python_interpreter=/usr/bin/python3",
        "--module-name=pextra.ce.system_files", "--args",
        json.dumps({"root": "/srv", "files": [{"path": "/there", "content": "it is\n"}]}),
    )  # fmt: skip
    assert "CHANGED" in said
    assert (debian / "srv/there").read_text() == "it is\n"


def test_apt_installs_a_node_with_a_working_ansible(debian: Path) -> None:
    install(debian, "pce-common")
    assert "core 2.19" in inside(debian, "ansible-playbook", "--version")
    assert "PEXTRA.CE.INSTANCE" in inside(debian, "ansible-doc", "pextra.ce.instance").upper()
    listing = inside(debian, "ansible-galaxy", "collection", "list", "pextra.ce")
    assert "/usr/share/ansible/collections/ansible_collections" in listing
    inside(debian, "ansible-playbook", "--syntax-check", "pextra.ce.site")
    assert "localhost" in inside(debian, "ansible-inventory", "--list")
    assert "usage" in inside(debian, "pextra-license", "--help").lower()
    inside(debian, "/usr/bin/python3", "-c", "import libvirt, psycopg")


def test_apt_installs_an_installer_that_checks_answers(debian: Path) -> None:
    install(debian, "pextra-installer")
    fixtures = ROOT / "installer/tests/fixtures"
    for name in ("accepted", "rejected"):
        shutil.copytree(fixtures / name, debian / "srv" / name)
    accepted = sorted(path.name for path in (fixtures / "accepted").iterdir())
    for name in accepted:
        said = inside(debian, "pextra-installer", "validate", f"/srv/accepted/{name}")
        assert "complete and consistent" in said
    for path in sorted((fixtures / "rejected").glob("*.[yt]*ml")):
        done = subprocess.run(
            ["chroot", str(debian), "pextra-installer", "validate", f"/srv/rejected/{path.name}"],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 3, f"{path.name}: {done.stdout}{done.stderr}"
    unit = "pextra-installer.target"
    assert unit in inside(debian, "systemctl", "--root=/", "list-unit-files", unit)


def test_purging_leaves_nothing_of_the_packages(debian: Path) -> None:
    packages = ("pce-ansible", "pce-config", "pextra-installer", "python3-pextra")
    inside(debian, "apt-get", "--yes", "--quiet", "purge", *packages)
    ours = (
        "usr/lib/pextra-ce", "etc/pextra-ce", "usr/share/ansible/collections",
        "usr/lib/python3/dist-packages/pextra", "usr/bin/pextra-license",
    )  # fmt: skip
    assert [path for path in ours if (debian / path).exists()] == []


def test_the_first_boot_makes_the_cloud_and_the_site_playbook_finds_it_made(
    debian: Path, tmp_path: Path
) -> None:
    """With systemd, and all else that runs on a node: only the disk and its start are missing."""
    install(debian, "pce-common", "pextra-installer", "systemd-sysv", "dbus")
    (debian / "etc/hostname").write_text("node1\n")
    inside(debian, "systemd-machine-id-setup")
    inside(debian, "bash", "-c", FILES.read_text())
    (debian / "srv/prepare.yml").write_text(PREPARATION)
    told = {
        "install_target": "/",
        "install_mounted": ["//dev", "//proc", "//sys"],
        "install_node": NODE,
        "install_first_boot": {**NODE, "site_admin_password_hash": "", "site_license_key": ""},
    }
    inside(debian, "ansible-playbook", "--extra-vars", json.dumps(told), "/srv/prepare.yml")
    with booted(debian, tmp_path / "console") as node:
        node.state()
        shown = node.run("journalctl", "--unit=pextra-first-boot", "--output=cat").stdout
        assert node.ask("systemctl", "is-active", "pextra-first-boot") == "active", shown
        assert "node node1 is ready" in shown
        assert not (debian / "etc/pextra-ce/first-boot.json").exists()
        end = node.ask("ansible-playbook", "pextra.ce.site")
        assert re.search(r"localhost\s+: ok=\d+\s+changed=0\s+unreachable=0\s+failed=0", end), end
        found = json.loads(
            node.ask("env", "ANSIBLE_CALLBACK_RESULT_FORMAT=json", "ansible", "localhost",
                     "--module-name=pextra.ce.organization_info")
            .partition(" => ")[2]
        )  # fmt: skip
        assert [one["name"] for one in found["organizations"]] == ["Example"]
