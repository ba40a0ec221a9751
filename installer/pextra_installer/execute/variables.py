"""What the playbook is told. Pure."""

from __future__ import annotations

import ipaddress
import pathlib
from dataclasses import dataclass
from typing import Any

from pextra.licensing.trust import TrustStore
from pextra_installer import keyboard, licensing, packages
from pextra_installer.networkd import units
from pextra_installer.plan import Plan
from pextra_installer.preview import Target

STATE = pathlib.Path("/run/pextra-installer")
"""Notes of the live system; they go when it is switched off."""
ANSWERS = "answers.yaml"
"""Among them: the plan as an answer file, with hashes in place of the password."""


@dataclass(frozen=True, slots=True)
class Image:
    """The system that is installed: a squashfs and its SHA-256 in hexadecimal digits."""

    path: pathlib.Path
    sha256: str


def node(plan: Plan) -> dict[str, Any]:
    """Variables of the node's own inventory, for every later run of pextra.ce.site; no secret."""
    short = plan.hostname.split(".")[0]
    address = plan.network.ipv4.address or plan.network.ipv6.address
    made: dict[str, Any] = {
        "site_organization": plan.organization,
        "site_node": short,
        "site_admin": plan.administrator.username,
        "site_demo": False,
        "preflight_ignore": list(plan.ignore_checks),
    }
    if address:
        made["site_node_address"] = str(ipaddress.ip_interface(address).ip)
    return made


def first_boot(plan: Plan) -> dict[str, Any]:
    """Variables of the playbook pextra.ce.first_boot; they hold secrets."""
    return {
        **node(plan),
        "site_admin_password_hash": plan.administrator.password_hash,
        "site_license_key": plan.license_key or "",
    }


def variables(
    plan: Plan,
    target: Target,
    image: Image,
    token: str,
    state: pathlib.Path = STATE,
    trusted: TrustStore = licensing.NOBODY,
) -> dict[str, Any]:
    """Variables of the playbook pextra.ce.install.

    Args:
        plan: With hashes in place of the password.
        target: The parts of the machine.
        image: What is installed.
        token: Names this installation.
        state: Where the notes and logs are.
        trusted: Signers of licence keys that the node accepts.
    """
    return {
        "install_disk": target.disk.path,
        "install_disk_serial": target.disk.serial or "",
        "install_disk_size": target.disk.size,
        "install_firmware": target.firmware.value,
        "install_token": token,
        "install_image": str(image.path),
        "install_image_sha256": image.sha256,
        "install_hostname": plan.hostname,
        "install_timezone": plan.timezone,
        "install_keyboard": keyboard.settings(plan.keyboard),
        "install_root_password_hash": plan.administrator.root_password_hash,
        "install_network_units": [
            {"path": f"/etc/systemd/network/{name}", "content": text}
            for name, text in units(plan.network, target.interfaces).items()
        ],
        "install_name_servers": list(plan.network.dns.servers),
        "install_search_domains": list(plan.network.dns.search),
        "install_node": node(plan),
        "install_first_boot": first_boot(plan),
        "install_files": [*licensing.files(trusted), *packages.files(plan.packages)],
        "install_target": str(state / "target"),
        "install_answers": str(state / ANSWERS),
        "install_logs": [str(state / "install.log"), str(state / "journal.json")],
    }
