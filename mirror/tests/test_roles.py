"""The roles mirror and repository, as playbooks, on a copy of this machine's file system.

Everything runs in a mount namespace of its own, with overlays over /etc, /usr, /run and all parts
of /var that a package writes to: the machine itself sees nothing of it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import socket
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from mirror_bed import PACKAGE, Builder, Key, SourceRepository, platform, run
from pextra_mirror.config import Config, Source, parse

ENTER = """
set -e
for name in etc usr run var/backups var/cache var/lib var/log var/spool; do
    up=$1/up/$name work=$1/work/$name
    mkdir -p "$up" "$work"
    mount -t overlay overlay -o "lowerdir=/$name,upperdir=$up,workdir=$work" "/$name"
done
mkdir -p /run/systemd && rm -rf /run/systemd/system
exec sleep infinity
"""


class Machine:
    """A copy of this machine, and the playbooks that run on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Not below what is laid over.
        layers = Path(tempfile.mkdtemp(prefix="pxm-", dir="/tmp"))
        run("mount", "-t", "tmpfs", "tmpfs", layers)
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, "sh", str(layers)]
        )
        self._layers = layers
        while "sleep" not in Path(f"/proc/{self._process.pid}/comm").read_text():
            if self._process.poll() is not None:
                run("umount", layers)
                raise RuntimeError("no mount namespace of its own")

    def argv(self, *words: str) -> list[str]:
        """The command line of a program on the machine."""
        return ["nsenter", "--mount", f"--target={self._process.pid}", *words]

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program, whatever comes of it."""
        return subprocess.run(self.argv(*words), capture_output=True, text=True, check=False)

    def play(self, name: str, *options: str, **variables: Any) -> dict[str, int]:
        """Run a playbook that succeeds; the numbers of its last line."""
        done = self.try_play(name, *options, **variables)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr
        line = next(line for line in done.stdout.splitlines() if line.startswith("localhost  "))
        return {key: int(number) for key, number in re.findall(r"(\w+)=(\d+)", line)}

    def try_play(
        self, name: str, *options: str, **variables: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook, whatever comes of it."""
        return subprocess.run(
            self.argv(f"{sysconfig.get_path('scripts')}/ansible-playbook", "-i", "localhost,",
                      "-c", "local", f"pextra.ce.{name}", "-e", json.dumps(variables), *options),
            capture_output=True, text=True, check=False,
            env={
                "PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
                "ANSIBLE_COLLECTIONS_PATH": str(PACKAGE.parent), "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
            },
        )  # fmt: skip

    def stop(self) -> None:
        """End what runs on it, and forget it."""
        found = self.call("cat", "/run/nginx.pid")
        if found.returncode == 0 and found.stdout.strip():
            self.call("kill", found.stdout.strip())
        self.call("gpgconf", "--homedir", f"{self.folder}/mirror/gnupg", "--kill", "all")
        self._process.kill()
        self._process.wait()
        run("umount", "--lazy", self._layers)
        self._layers.rmdir()


@pytest.fixture
def machine(folder: Path) -> Iterator[Machine]:
    """A copy of this machine."""
    made = Machine(folder)
    yield made
    made.stop()


def test_what_is_installed_on_the_copy_is_not_on_the_machine(
    machine: Machine, builder: Builder, folder: Path
) -> None:
    deb = folder / "pxm-overlay.deb"
    extra = "Provides: pxm-overlay-probe\n"
    deb.write_bytes(builder.deb("pxm-overlay", "1.0", "all", extra=extra).data)
    before = Path("/var/lib/dpkg/status").read_bytes()
    done = machine.call("dpkg", "--install", str(deb))
    assert done.returncode == 0, done.stderr
    form = ("dpkg-query", "-W", "-f", "${db:Status-Status}", "pxm-overlay")
    assert machine.call(*form).stdout == "installed"
    assert Path("/var/lib/dpkg/status").read_bytes() == before
    assert subprocess.run(form, capture_output=True, check=False).returncode == 1
    assert not Path("/usr/share/pxm-overlay").exists()


ROLE = PACKAGE.parent / "ansible_collections/pextra/ce/roles/mirror"


def test_the_role_has_an_option_for_each_setting_and_its_default() -> None:
    options = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())
    options = options["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    for field in dataclasses.fields(Config):
        option = options[f"mirror_{field.name}"]
        assert field.name in {"root", "sources", "metrics_file"} or (
            option["default"] == defaults[f"mirror_{field.name}"] == field.default
        ), field.name
    choices = options["mirror_sources"]["options"]
    assert list(choices) == [field.name for field in dataclasses.fields(Source)]
    for field in dataclasses.fields(Source):
        option = choices[field.name]
        assert option.get("required", False) == (field.default is dataclasses.MISSING), field.name
        assert option.get("default", field.default) == field.default or not field.default


def test_the_readme_names_each_setting_and_its_default() -> None:
    text = (PACKAGE / "README.md").read_text()
    for field in (*dataclasses.fields(Config), *dataclasses.fields(Source)):
        assert f"`{field.name}`" in text or field.name == "sources", field.name
        if isinstance(field.default, int) and not isinstance(field.default, bool):
            assert f"| `{field.name}` | {field.default} |" in text


def test_the_role_writes_every_setting_to_the_configuration() -> None:
    texts = jinja2.Environment(trim_blocks=True, autoescape=False)  # noqa: S701 - as Ansible has it
    texts.filters["to_json"] = json.dumps
    whole = {
        "name": "a", "url": "http://a", "distribution": "d", "components": ["c"],
        "architectures": ["amd64"], "keyring": "/k", "fingerprints": ["AB"], "prefix": "p",
        "packages": ["x"], "base": True, "depends_of": [], "updates_of": [], "recommends": True,
        "shrink": 90,
    }  # fmt: skip
    settings = {
        "root": "/r", "keep": 7, "transfers": 1, "retries": 9, "timeout": 60, "slowest": 1,
        "reserve": 5, "signing_key": "ABC", "metrics_file": "/m",
    }  # fmt: skip
    variables = {f"mirror_{name}": value for name, value in settings.items()}
    template = texts.from_string((ROLE / "templates/config.toml.j2").read_text())
    text = template.render(ansible_managed="", mirror_sources=[whole], **variables)
    found = parse(text, "configuration")
    assert {field.name for field in dataclasses.fields(Config)} == {*settings, "sources"}
    for name, value in settings.items():
        assert str(getattr(found, name)) == str(value)
    for name, item in whole.items():
        assert str(getattr(found.sources[0], name)) == str(
            tuple(item) if isinstance(item, list) else item
        )


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.long
def test_a_server_and_a_node_by_the_two_playbooks(
    machine: Machine, upstream: SourceRepository, builder: Builder, stranger: Key, folder: Path
) -> None:
    port, keyring = free_port(), "/usr/share/keyrings/vendor.gpg"
    amd64 = platform(upstream, architectures=["amd64"], keyring=keyring)
    key = {"src": str(upstream.key.public), "dest": keyring,
           "fingerprint": upstream.key.fingerprint}  # fmt: skip
    server: dict[str, Any] = {
        "mirror_sources": [amd64], "mirror_keys": [key], "mirror_root": str(folder / "mirror"),
        "mirror_listen": f"127.0.0.1:{port}", "mirror_public_key": str(folder / "mirror.asc"),
        "mirror_backup_key": str(folder / "secret.asc"),
    }  # fmt: skip
    wrong = {**key, "fingerprint": stranger.fingerprint}
    refused = machine.try_play("mirror", **{**server, "mirror_keys": [wrong]})
    assert refused.returncode != 0
    assert upstream.key.fingerprint in refused.stdout
    assert machine.play("mirror", **server)["changed"] > 5
    assert machine.play("mirror", **server)["changed"] == 0
    assert (folder / "secret.asc").stat().st_mode & 0o777 == 0o600
    status = machine.call("/usr/local/bin/pextra-mirror", "status", "--json")
    assert json.loads(status.stdout)["healthy"] is True

    original = "/etc/apt/sources.list.d/pextra-ce.list"
    machine.call("sh", "-c", f"rm -f /etc/apt/sources.list.d/*; echo '# vendor' > {original}")
    node: dict[str, Any] = {
        "repository_uri": f"http://127.0.0.1:{port}",
        "repository_key": str(folder / "mirror.asc"),
    }
    checked = machine.play("repository", "--check", **node)
    assert machine.call("cat", original).stdout == "# vendor\n"
    assert checked["changed"] > 0
    failed = machine.try_play("repository", **node, repository_packages=["no-such-package"])
    assert failed.returncode != 0
    assert "Unable to locate package no-such-package" in failed.stdout
    assert machine.call("cat", original).stdout == "# vendor\n"

    machine.play("repository", **node)
    assert machine.play("repository", **node)["changed"] == 0
    policy = machine.call("apt-cache", "policy", "pce-common").stdout
    assert f"http://127.0.0.1:{port}/pextra bookworm/meta amd64" in policy
    assert machine.call("cat", original).returncode != 0

    failed = machine.try_play("repository", **{**node, "repository_uri": "file:/nowhere"})
    assert failed.returncode != 0
    again = machine.play("repository", **node)
    assert again["changed"] == 0, "the node kept to the mirror that it had"

    machine.play("repository", **{**node, "repository_uri": f"file:{folder}/mirror/public"})
    machine.play("repository", repository_state="original")
    assert machine.call("cat", original).stdout == "# vendor\n"
    assert machine.play("repository", repository_state="original")["changed"] == 0
    assert machine.call("cat", "/etc/apt/sources.list.d/pextra-mirror.sources").returncode != 0
