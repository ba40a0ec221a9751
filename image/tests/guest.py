# SPDX-License-Identifier: Apache-2.0
"""A machine in QEMU with a disk: installed from the medium, then asked by SSH and Ansible.

It reaches nothing but QEMU's own DHCP server; its SSH port is on this machine's loopback.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from pextra_image.boot import Attachment, Console, Firmware, Machine, command, new_variables
from pextra_image.settings import ROOT

ADDRESS = "10.0.2.20"
DHCP_ADDRESS = "10.0.2.15"
"""Both of QEMU's network 10.0.2.0/24; the second is the first that its DHCP server gives."""

SERVER = "10.0.2.100"
"""The address at which it finds a server of this machine."""

MAC = "52:54:00:70:78:01"
SERIAL = "pextra-boot"
DISK_GIB = 16

INSTALLING = 3600
"""Seconds that an emulated machine may take from its start to the end of the installation."""
BOOTING = 3600
"""Seconds that it may take from its start to a login, and from there to the first boot's end."""


class Guest:
    """The machine.

    :ivar folder: holds disk, firmware variables and what the serial console showed.
    :ivar address: that it has when it is installed.
    """

    def __init__(
        self, folder: Path, firmware: Firmware, attachment: Attachment, address: str, password: str
    ) -> None:
        self.folder = folder
        self.address = address
        self.disk = folder / "disk.qcow2"
        self.variables = folder / "variables.fd"
        self.machine = Machine(firmware, attachment, memory=3072, timeout=INSTALLING, processors=1)
        self._port = _free_port()
        self._askpass = folder / "askpass"
        self._askpass.write_text(f"#!/bin/sh\necho '{password}'\n")
        self._askpass.chmod(0o700)
        argv = ["qemu-img", "create", "-q", "-f", "qcow2", str(self.disk), f"{DISK_GIB}G"]
        subprocess.run(argv, check=True)
        new_variables(self.machine, self.variables)

    @contextmanager
    def medium(
        self, iso: Path, volume: Path | None = None, port: int | None = None
    ) -> Iterator[Console]:
        """Start it from the medium, with its console at our hands.

        :param volume: the image of one more disk.
        :param port: of a server on this machine, which it reaches as port 443 of SERVER.
        """
        argv = self._command(iso, port)
        if volume is not None:
            # UEFI shows GRUB only what it could start from.
            argv += ["-drive", f"file={volume},format=raw,if=none,id=volume"]
            argv += ["-device", "virtio-blk-pci,drive=volume,serial=volume,bootindex=3"]
        with (self.folder / "install.console").open("w", errors="replace") as log:
            console = Console(argv, self.machine.timeout, log)
            try:
                yield console
            finally:
                console.end()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start it from its disk; the console goes to a file."""
        argv = self._command(None)
        argv[argv.index("stdio")] = f"file:{self.folder / 'boot.console'}"
        # It ends with us, also when we are killed.
        argv = ["setpriv", "--pdeathsig", "KILL", *argv]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
        try:
            self._await_ssh(process)
            yield
        finally:
            process.kill()
            process.wait()

    @property
    def shown(self) -> str:
        """What the console showed since the start from the disk."""
        return (self.folder / "boot.console").read_text(errors="replace")

    def _command(self, iso: Path | None, port: int | None = None) -> list[str]:
        argv = command(iso, self.machine, self.variables)
        argv += ["-drive", f"file={self.disk},format=qcow2,if=none,id=disk,cache=unsafe"]
        argv += ["-device", f"virtio-blk-pci,drive=disk,serial={SERIAL},bootindex=2"]
        network = f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{self._port}-{self.address}:22"
        if port is not None:
            network += f",guestfwd=tcp:{SERVER}:443-cmd:busybox nc 127.0.0.1 {port}"
        argv += ["-netdev", network]
        return [*argv, "-device", f"virtio-net-pci,netdev=net,mac={MAC},romfile="]

    def _await_ssh(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + BOOTING
        said = ""
        while time.monotonic() < end and process.poll() is None:
            done = self._ssh("true", timeout=120)
            if done.returncode == 0:
                return
            said = done.stderr
            time.sleep(5)
        raise AssertionError(f"no login over SSH: {said}\nThe console's end:\n{self.shown[-3000:]}")

    def _ssh(self, line: str, timeout: int) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "SSH_ASKPASS": str(self._askpass),
            "SSH_ASKPASS_REQUIRE": "force",
        }
        options = (
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "PreferredAuthentications=password",
            "NumberOfPasswordPrompts=1",
            "ConnectTimeout=60",
            "ServerAliveInterval=60",
            "ServerAliveCountMax=10",
        )
        argv = ["ssh", "-F", "/dev/null", "-p", str(self._port)]
        argv += [word for option in options for word in ("-o", option)]
        return subprocess.run(
            [*argv, "root@127.0.0.1", line],
            check=False, capture_output=True, text=True, timeout=timeout, env=environment,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def ask(self, line: str, timeout: int = BOOTING) -> str:
        """Run a line in root's shell; returns what it prints."""
        done = self._ssh(line, timeout)
        assert done.returncode == 0, f"{line}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
        return done.stdout.strip()

    def ansible(self, program: str, *argv: str) -> str:
        """Run a program of Ansible on this machine against the node, by the node's inventory.

        The collection is the one in the packages, as on the node.

        :returns: what it prints; it succeeds.
        """
        done = subprocess.run(
            [ROOT / ".venv/bin" / program, "--inventory", self._inventory, *argv],
            cwd=self.folder, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            env={
                **os.environ,
                "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
                "ANSIBLE_COLLECTIONS_PATH": str(self._collections),
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_PIPELINING": "True",  # an emulated machine is slow at logging in
                "LC_ALL": "C.UTF-8",
            },
        )  # fmt: skip
        assert done.returncode == 0, f"{argv}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def module(self, name: str, /, **options: Any) -> dict[str, Any]:
        """Run a module of the collection, from here; returns its result."""
        argv = ["all", "--module-name", f"pextra.ce.{name}"]
        if options:
            argv += ["--args", json.dumps(options)]
        found: dict[str, Any] = json.loads(self.ansible("ansible", *argv).partition(" => ")[2])
        return found

    @cached_property
    def _collections(self) -> Path:
        """The collection, unpacked from its package."""
        deb = next((ROOT / "dist/apt").glob("pool/*/pce-collection_*.deb"))
        target = self.folder / "collection"
        subprocess.run(["dpkg-deb", "--extract", deb, target], check=True)
        return target / "usr/share/ansible/collections"

    @cached_property
    def _inventory(self) -> Path:
        """The inventory that is on the node, with the node as seen from here."""
        key, inventory = self.folder / "key", self.folder / "inventory"
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
        subprocess.run(argv, check=True)
        public = key.with_suffix(".pub").read_text().strip()
        self.ask(f"mkdir -pm 700 /root/.ssh && echo '{public}' >>/root/.ssh/authorized_keys")
        packed = base64.b64decode(self.ask("tar -C /etc/pextra-ce/inventory -c . | base64"))
        inventory.mkdir(mode=0o700)
        subprocess.run(["tar", "-C", str(inventory), "-x"], input=packed, check=True)
        connection = {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": self._port,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(key),
            "ansible_ssh_common_args": "-F /dev/null -o StrictHostKeyChecking=no"
            " -o UserKnownHostsFile=/dev/null",
        }
        hosts = {"all": {"hosts": {"localhost": connection}}}
        (inventory / "zz-from-here.yml").write_text(json.dumps(hosts))  # the last one has its way
        return inventory


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
