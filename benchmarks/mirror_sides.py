# SPDX-License-Identifier: Apache-2.0
"""pextra-mirror, and what a user would pick instead: each syncs one source, and fills a stick."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Protocol

from benchmarks.timing import Sample, measure
from many import states
from mirror_bed import PACKAGE, PYTHON, Key, Mirror, SourceRepository, platform

NGINX = """
daemon off; master_process off; error_log {folder}/error.log; pid {folder}/nginx.pid;
events {{}}
http {{
    log_format sent '$bytes_sent';
    access_log {folder}/access.log sent;
    keepalive_requests 100000;
    server {{ listen 127.0.0.1:{port}; root {folder}/source; }}
}}
"""
PORT = 18765


class Source:
    """A signed repository behind nginx, of which one package in a hundred is new in each state."""

    def __init__(self, folder: Path, count: int, size: int) -> None:
        self.folder, self.count = folder, count
        self.key = Key(folder, "vendor")
        self.own = Key(folder, "own")
        self.repository = SourceRepository(folder / "source", self.key)
        self.repository.stop()  # nginx serves it
        self.url = f"http://127.0.0.1:{PORT}"
        self._states = states(count, size)
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=PORT))
        self._nginx = subprocess.Popen(["nginx", "-p", folder, "-c", folder / "nginx.conf"])
        self.sent()

    def advance(self) -> None:
        """Publish the next state."""
        self.repository.release(next(self._states), detached=True)

    def sent(self) -> int:
        """Bytes that were sent since the last time."""
        path = self.folder / "access.log"
        count = sum(map(int, path.read_text().split())) if path.exists() else 0
        if path.exists():
            os.truncate(path, 0)
        return count

    def run(self, *argv: str | Path, env: dict[str, str] | None = None) -> tuple[Sample, int]:
        """What a program took, and the bytes that it was sent."""
        self.sent()
        environment = {**os.environ, "LC_ALL": "C.UTF-8", **(env or {})}
        sample = measure([str(word) for word in argv], environment, self.folder / "log")
        return sample, self.sent()

    def remove(self) -> None:
        """End nginx and the agents, and remove all of it."""
        self._nginx.terminate()
        self._nginx.wait()
        for key in (self.key, self.own):
            key.stop()
        gnupg = self.folder / "ours/root/gnupg"
        if gnupg.exists():
            subprocess.run(["gpgconf", "--homedir", gnupg, "--kill", "all"], check=False)
        shutil.rmtree(self.folder)


class Side(Protocol):
    """One way to mirror a source, and to carry it to a site without a network."""

    name: str

    def prepare(self) -> None:
        """Make what is made once."""

    def sync(self) -> tuple[Sample, int]:
        """Bring the mirror to the source's state, served; bytes are those from the source."""

    def export(self) -> tuple[Sample, int]:
        """Bring a stick to the mirror's state; bytes are those written to it."""

    def take(self) -> tuple[Sample, int]:
        """Bring the site to the stick's state; bytes are those read from it."""

    def carry(self) -> None:
        """Export and import for the first time."""


class Ours:
    """pextra-mirror: verified sync, signed publication, signed bundles of what is new."""

    name = "pextra-mirror"

    def __init__(self, source: Source) -> None:
        self._source = source
        self._mirror = Mirror(
            source.folder / "ours",
            {**platform(source.repository, architectures=["amd64"]), "url": source.url},
        )
        self._stick, self._site = source.folder / "stick-ours", source.folder / "site-ours"
        self._bundle = ""

    def prepare(self) -> None:
        # As the role installs it: compiled.
        program = self._source.folder / "program"
        shutil.copytree(PACKAGE / "pextra_mirror", program / "pextra_mirror")
        subprocess.run([PYTHON, "-m", "compileall", "-q", program], check=True)
        self._mirror.env["PYTHONPATH"] = str(program)
        self._mirror.run("init")
        self._mirror.key()

    def _call(self, *words: str | Path) -> tuple[Sample, int]:
        return self._source.run(*self._mirror.argv(*words, "--quiet"), env=self._mirror.env)

    def sync(self) -> tuple[Sample, int]:
        return self._call("sync", "--publish")

    def export(self) -> tuple[Sample, int]:
        since = ("--since", self._bundle) if self._bundle else ()
        sample, _sent = self._call("export", "--output", self._stick, *since)
        text = (self._source.folder / "log").read_text().splitlines()[-1]
        (self._bundle,) = json.loads(text)["parts"]
        return sample, Path(self._bundle).stat().st_size

    def take(self) -> tuple[Sample, int]:
        sample, _sent = self._source.run(
            PYTHON, self._stick / "import-bundle.pyz", "--tree", self._site, "import",
            self._bundle, "--keyring", self._mirror.folder / "mirror.asc",
        )  # fmt: skip
        return sample, Path(self._bundle).stat().st_size

    def carry(self) -> None:
        self.export()
        self.take()


SCRIPT = """#!/bin/sh
set -e
aptly="aptly -config={folder}/aptly.conf"
if ! $aptly mirror show m >/dev/null 2>&1; then
    $aptly -architectures=amd64 -keyring={keyring} mirror create m {url} bookworm common meta
fi
$aptly -keyring={keyring} mirror update m
snapshot=m-$(date +%s%N)
$aptly snapshot create $snapshot from mirror m
if $aptly publish show bookworm >/dev/null 2>&1; then
    $aptly publish switch -batch -skip-contents -skip-bz2 -gpg-key={key} bookworm $snapshot
else
    $aptly publish snapshot -batch -skip-contents -skip-bz2 -gpg-key={key} -distribution=bookworm \
        $snapshot
fi
"""


class Aptly:
    """The commands of the platform's guide, with `switch`, and all of the published tree as tar."""

    name = "aptly, tar"

    def __init__(self, source: Source) -> None:
        self._source = source
        self._folder = source.folder / "aptly"
        self._site, self._tar = source.folder / "site-aptly", source.folder / "aptly.tar"

    def prepare(self) -> None:
        self._folder.mkdir()
        self._site.mkdir()
        settings = {"rootDir": str(self._folder), "gpgProvider": "gpg", "downloadConcurrency": 4}
        (self._folder / "aptly.conf").write_text(json.dumps(settings))
        (self._folder / "sync").write_text(SCRIPT.format(
            folder=self._folder, url=self._source.url, key=self._source.own.fingerprint,
            keyring=self._source.key.public,
        ))  # fmt: skip

    def sync(self) -> tuple[Sample, int]:
        return self._source.run("sh", self._folder / "sync", env=self._source.own.env)

    def export(self) -> tuple[Sample, int]:
        sample, _sent = self._source.run(
            "tar", "--create", f"--file={self._tar}", f"--directory={self._folder}/public", "."
        )
        return sample, self._tar.stat().st_size

    def take(self) -> tuple[Sample, int]:
        sample, _sent = self._source.run(
            "tar", "--extract", f"--file={self._tar}", f"--directory={self._site}"
        )
        return sample, self._tar.stat().st_size

    def carry(self) -> None:
        self.export()
        self.take()


class Debmirror:
    """debmirror, and rsync to a stick that has all of it, and from there to the site."""

    name = "debmirror, rsync"

    def __init__(self, source: Source) -> None:
        self._source = source
        names = ("debmirror", "stick-debmirror", "site-debmirror")
        self._tree, self._stick, self._site = (source.folder / name for name in names)

    def prepare(self) -> None:
        self._source.folder.joinpath("debmirror.conf").write_text("1;\n")

    def sync(self) -> tuple[Sample, int]:
        return self._source.run(
            "debmirror", self._tree, "--method=http", f"--host=127.0.0.1:{PORT}", "--root=/",
            "--dist=bookworm", "--section=common,meta", "--arch=amd64", "--nosource",
            "--diff=none", "--rsync-extra=none", f"--keyring={self._source.key.public}",
            f"--config-file={self._source.folder}/debmirror.conf",
        )  # fmt: skip

    def _copy(self, origin: Path, target: Path) -> tuple[Sample, int]:
        sample, _sent = self._source.run(
            "rsync", "--archive", "--delete", "--stats", "--no-human-readable", f"{origin}/", target
        )
        text = (self._source.folder / "log").read_text()
        found = re.search(r"Total transferred file size: ([\d,]+)", text)
        return sample, int(found[1].replace(",", "")) if found else 0

    def export(self) -> tuple[Sample, int]:
        return self._copy(self._tree, self._stick)

    def take(self) -> tuple[Sample, int]:
        return self._copy(self._stick, self._site)

    def carry(self) -> None:
        self.export()
        self.take()
