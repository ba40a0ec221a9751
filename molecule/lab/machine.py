"""A node: processes in the lab's network namespace, on a layer over the base.

It is user-mode Linux, or a container of systemd-nspawn on the machine's own kernel.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from lab import access, network, paths
from lab.base import kernel_of
from lab.errors import LabError
from lab.topology import Node, Topology

MEMORY = "/dev/shm"  # noqa: S108 - where user-mode Linux keeps a node's RAM, in a deleted file
_LETTERS = "bcdefgh"


def prepare(lab: str, node: Node, topology: Topology) -> None:
    """Make a node's folder: disks, and those files of its root that only it has."""
    folder = paths.node(lab, node.name)
    for letter, bytes_ in zip(_LETTERS, node.disks, strict=False):
        with (folder / f"ubd{letter}.img").open("ab") as disk:
            disk.truncate(bytes_)
    own = folder / "files"
    hosts = [f"{each.address} {each.name}" for each in topology.nodes]
    files = {
        "etc/hostname": f"{node.name}\n",
        "etc/hosts": "\n".join(["127.0.0.1 localhost", "::1 localhost", *hosts, ""]),
        "etc/machine-id": f"{uuid.uuid4().hex}\n",
        "etc/systemd/network/10-management.network": (
            f"[Match]\nMACAddress={node.nics[0].mac}\n\n"
            f"[Network]\nAddress={node.address}/24\nLinkLocalAddressing=no\n"
        ),
    }
    if topology.kernel == "machine":
        # It has no sunrpc, and NFS's client would fail for that.
        masked = own / "etc/systemd/system/run-rpc_pipefs.mount"
        masked.parent.mkdir(parents=True, exist_ok=True)
        masked.symlink_to("/dev/null")
        # It has no udev, which applies a bridge's settings in sysctl.d when networkd makes it.
        files["etc/sysctl.d/60-lab.conf"] = "net.ipv6.conf.default.disable_ipv6 = 1\n"
    for name, text in files.items():
        path = own / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    keys = own / "root/.ssh"
    keys.mkdir(parents=True, exist_ok=True)
    for path in (keys.parent, keys):  # their modes go over to the node, too
        path.chmod(0o700)
    shutil.copy(paths.lab(lab) / "id_ed25519.pub", keys / "authorized_keys")
    secret = access.host_key(lab, node)
    (own / "etc/ssh").mkdir(exist_ok=True)
    for path in (secret, secret.with_suffix(".pub")):
        shutil.copy(path, own / "etc/ssh" / path.name)


def command(lab: str, node: Node, topology: Topology, base: Path) -> list[str]:
    """The command line that boots a node.

    Its processes are in a namespace of their own: they end with it, however it ends.
    """
    return [
        "nsenter", f"--net=/run/netns/{paths.namespace(lab)}",
        "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
        *(
            _container(lab, node, topology, base)
            if topology.kernel == "machine"
            else _user_mode(lab, node, base)
        ),
    ]  # fmt: skip


def _container(lab: str, node: Node, topology: Topology, base: Path) -> list[str]:
    cards = [
        f"{nic.name},{nic.tap},{nic.mac},{network.bridge_of(topology, nic.segment)}"
        for nic in node.nics
    ]
    return [
        str(Path(__file__).with_name("container.py")), str(paths.node(lab, node.name)), str(base),
        paths.control_group(lab, node.name), *cards, "--", f"--machine={node.name}",
    ]  # fmt: skip


def _user_mode(lab: str, node: Node, base: Path) -> list[str]:
    folder = paths.node(lab, node.name)
    # Blocks that the node writes go to a file of its own.
    disks = [f"ubda={folder}/ubda.cow,{base}"]
    disks += [
        f"ubd{letter}={folder}/ubd{letter}.img"
        for letter, _ in zip(_LETTERS, node.disks, strict=False)
    ]
    cards = [
        f"{nic.name}:transport=tap,ifname={nic.tap},depth=64,gro=1,mac={nic.mac}"
        for nic in node.nics
    ]
    return [
        str(Path(__file__).with_name("boot.py")),
        f"mem={node.memory >> 20}M", "seccomp=auto", "root=/dev/ubda", "rootflags=noinit_itable",
        "rw", "quiet",
        "init=/usr/sbin/lab-init", f"LAB_FILES={folder}/files",
        "con=null", "con0=null,fd:1", "ssl=null",
        f"uml_dir={folder}", f"umid={node.name}", *disks, *cards,
    ]  # fmt: skip


def start(lab: str, node: Node, topology: Topology, base: Path) -> None:
    """Switch a node on."""
    folder = paths.node(lab, node.name)
    shutil.rmtree(folder / node.name, ignore_errors=True)  # what a killed one left
    with (folder / "console.log").open("ab") as console:
        subprocess.Popen(
            command(lab, node, topology, base), stdin=subprocess.DEVNULL, stdout=console,
            stderr=console, start_new_session=True,
            env={**os.environ, "TMPDIR": MEMORY, "LAB_KERNEL": str(kernel_of(base))},
        )  # fmt: skip


def processes(lab: str, node: str) -> list[int]:
    """Process ids of a node."""
    found = []
    for pid in network.processes(lab):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if {f"umid={node}".encode(), f"--machine={node}".encode()} & set(words):
            found.append(pid)
    return found


def kill(lab: str, node: str) -> None:
    """Take a node's power away."""
    end(lambda: processes(lab, node))


def alive(pid: int) -> bool:
    """Whether a process is there, and has not only not been waited for by its parent."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"X", "Z"}


def end(pids: Callable[[], list[int]]) -> None:
    """Kill processes until there are none, and all that were killed are gone."""
    deadline = time.monotonic() + 30
    killed: set[int] = set()
    while (running := pids()) or any(map(alive, killed)):
        if time.monotonic() > deadline:
            raise LabError(f"processes do not end: {running or sorted(killed)}")
        for pid in running:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            killed.add(pid)
        time.sleep(0.1)


def console(lab: str, node: str, lines: int = 25) -> str:
    """The end of what a node's console showed."""
    path = paths.node(lab, node) / "console.log"
    text = path.read_text(errors="replace") if path.exists() else ""
    return "\n".join(text.splitlines()[-lines:])
