"""What an installed node says of itself: on its consoles, and to whoever logs in."""

from __future__ import annotations

import os
import pathlib
import socket
import subprocess
from dataclasses import dataclass

from pextra_installer.outcome import PORT, login, web_address


@dataclass(frozen=True, slots=True)
class Places:
    """Where an installed node keeps what the first boot needs and says, below a root directory."""

    root: pathlib.Path = pathlib.Path("/")

    @property
    def notes(self) -> pathlib.Path:
        """What the installation left for the first boot; it holds secrets."""
        return self.root / "etc/pextra-ce/first-boot.json"

    @property
    def refused(self) -> pathlib.Path:
        """Why the licence key was refused, until another one is set (`license_prompt`)."""
        return self.root / "etc/pextra-ce/license-refused"

    @property
    def trusted(self) -> pathlib.Path:
        """Public keys of signers of licence keys."""
        return self.root / "etc/pextra-ce/license-keys.d"

    @property
    def banner(self) -> pathlib.Path:
        """What consoles show above the login (issue(5), agetty(8))."""
        return self.root / "etc/issue.d/pextra.issue"

    @property
    def message(self) -> pathlib.Path:
        """The message of the day, for whoever logs in (pam_motd(8))."""
        return self.root / "etc/motd.d/pextra-ce"


def serves(port: int = PORT) -> bool:
    """Whether anything on this machine answers where the web interface would."""
    for host in ("127.0.0.1", "::1"):
        try:
            with socket.create_connection((host, port), timeout=2):
                return True
        except OSError:
            continue
    return False


def banner(name: str, address: str | None, state: str, *, web: bool) -> str:
    """What consoles show; what agetty(8) would take for an escape is doubled."""
    if address is None:
        where = "No address yet: look at the network\n"
    else:
        where = f"SSH: {login(address)}\n"
        # A browser would find nothing there.
        where += f"Web: {web_address(address)}\n" if web else f"Web: nothing on port {PORT}\n"
    return f"\nPextra CloudEnvironment: node {name} {state}\n{where}\n".replace("\\", "\\\\")


NEXT_STEPS = """\
  settings    /etc/pextra-ce/inventory, then: ansible-playbook pextra.ce.site
  what is     pextra call instance_info      what should be and is not: pextra reconcile --check
  licence     pextra call node_license_info  to set a key: pextra-installer license
  upgrades    apt update && apt upgrade      ours come from an address that is to be given first:
              /etc/apt/sources.list.d/pextra-ce.sources
  more        man pextra-ce                  ansible-doc pextra.ce.instance
"""


def message(name: str, address: str | None, state: str, *, web: bool) -> str:
    """What whoever logs in is told: the node, and what comes next."""
    at = f", at {web_address(address)}" if address and web else ""
    return f"\nPextra CloudEnvironment: node {name} {state}{at}\n\n{NEXT_STEPS}\n"


def show(places: Places, address: str | None, state: str) -> None:
    """Write banner and message, and have the consoles show it."""
    name, web = socket.gethostname(), serves()
    shown = banner(name, address, state, web=web)
    _write(places.banner, shown)
    _write(places.message, message(name, address, state, web=web))
    print(shown, flush=True)
    subprocess.run(["agetty", "--reload"], capture_output=True, check=False)


def ready(places: Places, address: str | None) -> None:
    """Show that the node is ready, and what of the installation is left to do."""
    state = "is ready"
    if places.refused.exists():
        reason = places.refused.read_text(encoding="utf-8").strip()
        state += f"\nIts licence key was refused: {reason}\nLog in as root to set another one"
    show(places, address, state)


def _write(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    os.chmod(temporary, 0o644)
    temporary.replace(path)
