"""What is told when an installation is done, the same at each front door. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pextra_installer.plan import Plan
    from pextra_installer.preview import Target

DONE = "The installation is done"
PORT = 5007
"""Of the web interface; the user guide's chapter on accessing it. Nothing may listen there yet."""
KEPT_ANSWERS = "/var/lib/pextra-installer/answers.yaml"
"""Where the installed system has the answers."""


def web_address(host: str) -> str:
    """The address of the web interface on a host: its name or IP address."""
    return f"https://{f'[{host}]' if ':' in host else host}:{PORT}/"


def login(host: str) -> str:
    """The command that logs in on a host, which always can be."""
    return f"ssh root@{host}"


def lines(plan: Plan, target: Target) -> list[str]:
    """Where the node will be, and what to do now."""
    network = plan.network
    static = network.ipv4.address or network.ipv6.address
    # What an interface has now is what its bond or VLAN will not have.
    now = [] if network.bond or network.vlan else target.interfaces[0].addresses
    host = (static or next(iter(now), plan.hostname)).partition("/")[0]
    changing = [] if static else ["(by DHCP it may become another one: see the node's console)"]
    return [
        "After the restart the node sets itself up. Log in with the password given:",
        "",
        f"  {login(host)}",
        *(f"  {line}" for line in changing),
        "",
        "Its console shows how far it is, and where it is reached.",
        f"The answers are kept on it, in {KEPT_ANSWERS}",
        "",
        "REMOVE THE INSTALLATION MEDIUM before the machine starts again.",
    ]
