"""A real apt with a root of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from mirror_bed import Done, run


class AptClient:
    """A real apt with a root of its own, in which nothing is installed."""

    def __init__(self, root: Path, uri: str, key: Path, *, suite: str = "bookworm",
                 components: str = "common meta", architecture: str = "amd64") -> None:  # fmt: skip
        self.root = root
        for name in ("etc/apt/sources.list.d", "etc/apt/preferences.d", "etc/apt/apt.conf.d",
                     "var/lib/apt/lists/partial", "var/cache/apt/archives/partial",
                     "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/log/apt"):  # fmt: skip
            (root / name).mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()
        (root / "apt.conf").touch()
        self.source(uri, key, suite=suite, components=components)
        self._options = [
            f"Dir={root}", f"Dir::State::status={root}/var/lib/dpkg/status",
            f"APT::Architecture={architecture}", f"APT::Architectures::={architecture}",
            "APT::Sandbox::User=root", "Acquire::Languages=none", "Acquire::Retries=0",
            f"DPkg::Options::=--root={root}", "DPkg::Options::=--force-script-chrootless",
            "DPkg::Options::=--force-not-root", "Dir::Bin::dpkg=/usr/bin/dpkg",
            "APT::Update::Error-Mode=any", "Acquire::Check-Date=true",
            "Acquire::Check-Valid-Until=true",
        ]  # fmt: skip

    def source(self, uri: str, key: Path, *, suite: str = "bookworm",
               components: str = "common meta") -> None:  # fmt: skip
        """Point it at a mirror."""
        (self.root / "etc/apt/sources.list.d/mirror.sources").write_text(
            f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: {components}\n"
            f"Signed-By: {key}\n"
        )

    def call(self, program: str, *words: str) -> Done:
        """Run apt-get or another, whatever comes of it."""
        options = [word for option in self._options for word in ("-o", option)]
        done = subprocess.run(
            [program, *options, *words], capture_output=True, text=True, check=False,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND":
                 "noninteractive", "APT_CONFIG": f"{self.root}/apt.conf"},
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def update(self) -> None:
        """Read the indexes, without one complaint."""
        done = self.call("apt-get", "update")
        assert done.code == 0, done.err + done.out
        assert not done.err.strip(), done.err

    def candidate(self, package: str) -> str:
        """The version that would be installed."""
        done = self.call("apt-cache", "policy", package)
        lines = (line.strip() for line in done.out.splitlines())
        return next((line.split()[1] for line in lines if line.startswith("Candidate:")), "")

    def install(self, *packages: str) -> None:
        """Install packages and all that they depend on."""
        done = self.call("apt-get", "install", "--yes", "--no-install-recommends", *packages)
        assert done.code == 0, done.err + done.out

    def installed(self) -> dict[str, str]:
        """Names and versions of what is installed."""
        form = "${Package} ${Version} ${db:Status-Status}\n"
        text = run("dpkg-query", f"--root={self.root}", "-W", "-f", form).decode()
        rows = (line.split() for line in text.splitlines())
        return {name: version for name, version, state in rows if state == "installed"}
