# SPDX-License-Identifier: Apache-2.0
"""This machine as the kinds see it; connections are opened when first used."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from pextra.host import programs
from pextra.model.errors import HostError

if TYPE_CHECKING:
    from pextra.host.hypervisor.connection import Hypervisor
    from pextra.host.network.guard import Guard
    from pextra.host.network.links import Links
    from pextra.host.secrets.keyring import Keyring

UMASK = 0o022
"""What is made here is for QEMU's user and systemd-networkd too, and has permissions of its own
where it is not. The umask of a hardened machine would keep them out."""
KEY_FILES: tuple[str, ...] = ("/etc/machine-id", "/var/lib/dbus/machine-id")


class Host:
    """This machine.

    Args:
        state_dir: Where the platform keeps seeds and pools.
        config_dir: Where the node's configuration is.
        log_dir: Where instances' consoles are logged.
        confirms: The caller confirms what this node undoes otherwise; see host.network.guard.

    Attributes:
        console_marks: Size of an instance's console log just before this run started it.
        told: Is called with what is done of a long step, and what is to be done altogether.
    """

    def __init__(
        self,
        state_dir: str = "/var/lib/pextra-ce",
        config_dir: str = "/etc/pextra-ce",
        log_dir: str = "/var/log/pextra-ce",
        *,
        confirms: bool = False,
    ) -> None:
        programs.reach()
        os.umask(UMASK)
        self.state_dir = state_dir
        self.config_dir = config_dir
        self.log_dir = log_dir
        self.confirms = confirms
        self.console_marks: dict[str, int] = {}
        self.told: Callable[[int, int], None] = lambda _done, _total: None

    @property
    def license_dir(self) -> str:
        """Where the evaluation licence and its private key are."""
        return f"{self.state_dir}/license"

    @property
    def trust_dir(self) -> str:
        """Public keys whose licences are accepted."""
        return f"{self.config_dir}/license-keys.d"

    @functools.cached_property
    def keyring(self) -> Keyring:
        """The keys of the cluster that this node has, which open secrets of the store."""
        from pextra.host.secrets.keyring import Keyring

        return Keyring(f"{self.state_dir}/keys")

    @functools.cached_property
    def key(self) -> str:
        """Identifies this machine without giving its machine id away (machine-id(5))."""
        for path in KEY_FILES:
            try:
                with open(path, encoding="ascii") as file:
                    text = file.read().strip()
            except OSError:
                continue
            if len(text) == 32:
                return hashlib.sha256(f"pextra-ce/{text}".encode()).hexdigest()[:32]
        raise HostError("this machine has no machine id", hint="Run systemd-machine-id-setup on it")

    @functools.cached_property
    def qemu(self) -> Hypervisor:
        """libvirt's QEMU driver, which also keeps the storage pools."""
        from pextra.host.hypervisor.connection import Hypervisor

        return Hypervisor("qemu:///system")

    @functools.cached_property
    def lxc(self) -> Hypervisor:
        """libvirt's LXC driver."""
        from pextra.host.hypervisor.connection import Hypervisor

        return Hypervisor("lxc:///system")

    def driver(self, type: str) -> Hypervisor:
        """The driver of an instance type."""
        return self.lxc if type == "lxc" else self.qemu

    @functools.cached_property
    def links(self) -> Links:
        """The network interfaces."""
        from pextra.host.network.links import Links

        return Links(confirms=self.confirms)

    @functools.cached_property
    def kvm(self) -> bool:
        """Whether instances can use hardware virtualization.

        The device alone does not tell: it also exists where the processor shows neither VT-x
        nor AMD-V and guests hang. On aarch64 no processor flag exists, and the device decides.
        """
        try:
            os.close(os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC))
        except OSError:
            return False
        if os.uname().machine != "x86_64":
            return True
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            flags = next((line for line in file if line.startswith("flags")), "").split()
        return "vmx" in flags or "svm" in flags

    @property
    def guards(self) -> list[Guard]:
        """Changes of the network that this node undoes unless they are confirmed; none unopened."""
        return self.links.guards if "links" in self.__dict__ else []

    def __enter__(self) -> Self:
        """This machine, closed at the end of the block."""
        return self

    def __exit__(self, *_reason: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened."""
        for name in ("qemu", "lxc", "links"):
            if name in self.__dict__:
                self.__dict__[name].close()
