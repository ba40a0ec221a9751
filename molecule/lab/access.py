"""How a lab's nodes are reached: a key pair, known host keys, an ssh configuration, an inventory.

All of it is in the lab's folder and ends with the lab.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from lab import paths
from lab.programs import run
from lab.topology import Node, Topology


def write(lab: str, topology: Topology) -> None:
    """Make keys, ssh configuration and inventory."""
    folder = paths.lab(lab)
    _key(folder / "id_ed25519", f"lab {lab}")
    known = []
    for node in topology.nodes:
        _key(host_key(lab, node), f"root@{node.name}")
        public = host_key(lab, node).with_suffix(".pub").read_text()
        known.append(f"{node.name},{node.address} {public}")
    (folder / "known_hosts").write_text("".join(known))
    (folder / "ssh_config").write_text(configuration(lab, topology))
    (folder / "inventory.yml").write_text(
        "---\n" + yaml.safe_dump(inventory(lab, topology), sort_keys=False)
    )


def _key(path: Path, comment: str) -> None:
    if not path.exists():
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path))


def host_key(lab: str, node: Node) -> Path:
    """The secret half of a node's host key."""
    return paths.node(lab, node.name) / "ssh_host_ed25519_key"


def configuration(lab: str, topology: Topology) -> str:
    """The ssh configuration; it has to be named on the command line."""
    folder = paths.lab(lab)
    proxy = Path(__file__).with_name("connect.py")
    hosts = "".join(
        f"Host {node.name}\n    HostName {node.address}\n    HostKeyAlias {node.name}\n"
        for node in topology.nodes
    )
    return f"""{hosts}
Host *
    User root
    IdentityFile {folder}/id_ed25519
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    ProxyCommand nsenter --net=/run/netns/{paths.namespace(lab)} /usr/bin/python3 -I {proxy} %h %p
    ProxyUseFdpass yes
    ConnectTimeout 10
    ServerAliveInterval 10
    ServerAliveCountMax 6
    LogLevel ERROR
"""


def inventory(lab: str, topology: Topology) -> dict[str, object]:
    """An Ansible inventory of the nodes, in the group `lab`."""
    folder = paths.lab(lab)
    hosts = {
        node.name: {"ansible_host": node.name, "lab_address": node.address}
        for node in topology.nodes
    }
    variables = {
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_common_args": f"-F {folder}/ssh_config",
        "ansible_control_path_dir": f"{folder}/control",
    }
    return {"all": {"children": {"lab": {"hosts": hosts, "vars": variables}}}}


def ssh(lab: str, node: str, *command: str) -> list[str]:
    """The command line that runs a command on a node, or a shell."""
    return ["ssh", "-F", str(paths.lab(lab) / "ssh_config"), node, *command]


def close(lab: str) -> None:
    """End the connections that Ansible keeps open."""
    for path in (paths.lab(lab) / "control").glob("*"):
        subprocess.run(
            ["ssh", "-o", f"ControlPath={path}", "-O", "exit", "node"],
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip


def answer(lab: str, node: str, command: str, seconds: int = 20) -> str | None:
    """What a command on a node says; None if the node does not answer or the command fails."""
    argv = ssh(lab, node, command)
    argv[1:1] = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=3"]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None
