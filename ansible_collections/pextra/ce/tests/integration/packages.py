# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian packages, a signed repository of them, and a system of its own for apt and dpkg.

All of it is real apt and dpkg; only the directories are a test's own, so that nothing of this
machine is read or changed.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import email.utils
import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

SUITE, COMPONENT = "bookworm", "common"
ARCHITECTURE = subprocess.run(
    ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
).stdout.strip()


@dataclasses.dataclass(frozen=True)
class Package:
    """A package with one file, /usr/share/NAME/version."""

    name: str
    version: str
    depends: str = ""
    scripts: tuple[tuple[str, str], ...] = ()

    def tree(self, directory: Path) -> Path:
        """Make the folder of its files there."""
        tree = directory / f"{self.name}_{self.version}"
        control = tree / "DEBIAN"
        share = tree / "usr/share" / self.name
        control.mkdir(parents=True)
        share.mkdir(parents=True)
        (share / "version").write_text(f"{self.version}\n")
        depends = f"Depends: {self.depends}\n" if self.depends else ""
        (control / "control").write_text(
            f"Package: {self.name}\nVersion: {self.version}\nArchitecture: {ARCHITECTURE}\n"
            f"Maintainer: nobody <nobody@example.net>\n{depends}Description: part of a test\n"
        )
        for name, text in self.scripts:
            (control / name).write_text(text)
            (control / name).chmod(0o755)
        return tree

    def pack(self, tree: Path) -> Path:
        """Pack the folder, which is gone then; the path of the package's file."""
        path = tree.with_name(f"{tree.name}_{ARCHITECTURE}.deb")
        run("dpkg-deb", "--build", "--root-owner-group", "-Znone", str(tree), str(path))
        shutil.rmtree(tree)
        return path


class Repository:
    """A signed repository in a directory.

    Attributes:
        directory: Where it is; its address for apt is copy:DIRECTORY.
        keyring: The public key that it is signed with.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.keyring = directory / "key.asc"
        self._home = directory / "gnupg"
        self._pool = directory / "pool"
        self._pool.mkdir(parents=True)
        self._home.mkdir(mode=0o700)
        self._gpg("--quick-generate-key", "--passphrase", "", "test@example.net", "ed25519")
        self.keyring.write_bytes(self._gpg("--armor", "--export"))

    def publish(self, packages: Sequence[Package | Path]) -> None:
        """Add packages, and write and sign what apt reads."""
        for package in packages:
            if isinstance(package, Package):
                package.pack(package.tree(self._pool))
            else:
                shutil.copy(package, self._pool)
        stanzas = "".join(self._stanza(path) for path in sorted(self._pool.glob("*.deb")))
        index = stanzas.encode()
        place = f"{COMPONENT}/binary-{ARCHITECTURE}/Packages"
        dist = self.directory / "dists" / SUITE
        (dist / place).parent.mkdir(parents=True, exist_ok=True)
        (dist / place).write_bytes(index)
        digest = hashlib.sha256(index).hexdigest()
        now = email.utils.format_datetime(dt.datetime.now(dt.UTC))
        release = (
            f"Origin: Test\nSuite: {SUITE}\nCodename: {SUITE}\nArchitectures: {ARCHITECTURE}\n"
            f"Components: {COMPONENT}\nDate: {now}\n"
            f"SHA256:\n {digest} {len(index)} {place}\n"
        )
        (dist / "Release").write_text(release)
        signed = self._gpg("--clearsign", "--output", "-", str(dist / "Release"))
        (dist / "InRelease").write_bytes(signed)

    def source(self, uri: str | None = None) -> str:
        """The line of apt's sources."""
        where = uri or f"copy:{self.directory}"
        return f"deb [signed-by={self.keyring}] {where} {SUITE} {COMPONENT}\n"

    def close(self) -> None:
        """End the key's agent."""
        subprocess.run(
            ["gpgconf", "--homedir", str(self._home), "--kill", "all"], check=False,
            capture_output=True,
        )  # fmt: skip

    def _stanza(self, path: Path) -> str:
        fields = run("dpkg-deb", "--field", str(path)).decode().strip()
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        size = path.stat().st_size
        return f"{fields}\nFilename: pool/{path.name}\nSize: {size}\nSHA256: {digest}\n\n"

    def _gpg(self, *arguments: str) -> bytes:
        options = [
            "--homedir",
            str(self._home),
            "--batch",
            "--yes",
            "--quiet",
            "--no-permission-warning",
        ]
        return run("gpg", *options, *arguments)


class AptRoot:
    """A system that has nothing but apt's and dpkg's directories.

    Attributes:
        directory: Its root.
        environment: What makes apt, dpkg and python-apt use it.
    """

    def __init__(self, directory: Path, source: str) -> None:
        self.directory = directory
        for name in (
            "etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d",
            "etc/apt/trusted.gpg.d", "var/cache/apt/archives/partial", "var/lib/apt/lists/partial",
            "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "var/log/apt",
        ):  # fmt: skip
            (directory / name).mkdir(parents=True)
        (directory / "var/lib/dpkg/status").touch()
        (directory / "etc/apt/sources.list").write_text(source)
        config = directory / "apt.conf"
        config.write_text(
            f'Dir "{directory}";\nDir::State::status "{directory}/var/lib/dpkg/status";\n'
            f'APT::Architecture "{ARCHITECTURE}";\nAPT::Architectures {{ "{ARCHITECTURE}"; }};\n'
            f'APT::Sandbox::User "root";\nAPT::Get::List-Cleanup "true";\n'
            f'DPkg::Options {{ "--root={directory}"; }};\n'
        )
        # dpkg has options for a user, whoever calls it: scripts are run without chroot.
        (directory / ".dpkg.cfg").write_text("force-script-chrootless\n")
        self.environment = {
            "APT_CONFIG": str(config), "DPKG_ROOT": str(directory), "HOME": str(directory),
        }  # fmt: skip

    def run(self, *argv: str) -> str:
        """The output of a program that works on this system."""
        return run(*argv, **self.environment).decode()

    def install(self, *names: str) -> None:
        """Update the lists and install packages."""
        self.run("apt-get", "-q", "update")
        self.run("apt-get", "-qy", "install", *names)

    def versions(self) -> dict[str, str]:
        """The versions of installed packages that are in order."""
        text = self.run("dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Status}\n")
        rows = [line.split() for line in text.splitlines()]
        return {name: version for name, version, status in rows if status == "installed"}

    def lists(self) -> dict[str, int]:
        """apt's lists, and when each was changed."""
        found = (self.directory / "var/lib/apt/lists").rglob("*")
        return {str(path): path.lstat().st_mtime_ns for path in found if not path.is_dir()}


def run(*argv: str, **environment: str) -> bytes:
    """The output of a program that succeeds."""
    done = subprocess.run(
        argv, capture_output=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", **environment},
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(argv)}: {(done.stderr + done.stdout).decode()}"
    return done.stdout
