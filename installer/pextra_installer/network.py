"""The management network as the plan has it."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from pextra_installer.fieldtypes import (
    Address4,
    Address6,
    Domain,
    Interface,
    Ip,
    Ip4,
    Ip6,
    Mtu,
    Vlan,
    edge_of,
)
from pextra_installer.rules import STRICT, Findings

MIN_MTU_IPV6 = 1280  # RFC 8200, section 5


class Method4(StrEnum):
    """Where the IPv4 address comes from."""

    DHCP = "dhcp"
    STATIC = "static"
    NONE = "none"


class Method6(StrEnum):
    """Where the IPv6 address comes from; ``auto`` follows router advertisements."""

    AUTO = "auto"
    STATIC = "static"
    NONE = "none"


class BondMode(StrEnum):
    """How a bond shares its interfaces; the names are the kernel's."""

    ACTIVE_BACKUP = "active-backup"
    LACP = "802.3ad"
    BALANCE_XOR = "balance-xor"
    BALANCE_RR = "balance-rr"
    BALANCE_TLB = "balance-tlb"
    BALANCE_ALB = "balance-alb"
    BROADCAST = "broadcast"


def _static_problems(
    method: str, address: str | None, gateway: str | None, findings: Findings
) -> None:
    if method != "static":
        for key, value in (("address", address), ("gateway", gateway)):
            if value is not None:
                findings.add(
                    f"it is given, but the method is {method}",
                    "Choose static as the method, or leave it out",
                    key=key,
                )
        return
    if address is None:
        findings.add("a static configuration needs an address", "Give the address", key="address")
        return
    interface = ipaddress.ip_interface(address)
    if gateway is None:
        return
    router, network = ipaddress.ip_address(gateway), interface.network
    # IPv6's routers have link-local addresses, which they announce (RFC 4861); IPv4's have none.
    near = router.version == 6 and router.is_link_local
    edge = edge_of(router, network)
    if router == interface.ip:
        findings.add(f"the gateway {router} is the node itself", key="gateway")
    elif router not in network and not near:
        hint = f"Its address must lie in {network}"
        findings.add(f"the gateway {router} is outside the network", hint, key="gateway")
    elif edge:
        hint = "Give the router's own address"
        findings.add(f"the gateway {router} is {edge}", hint, key="gateway")


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class IPv4:
    """IPv4 of the management interface."""

    method: Method4 = Method4.DHCP
    address: Address4 | None = None
    gateway: Ip4 | None = None

    @model_validator(mode="after")
    def _complete(self) -> IPv4:
        findings = Findings()
        _static_problems(self.method, self.address, self.gateway, findings)
        findings.raise_any()
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class IPv6:
    """IPv6 of the management interface."""

    method: Method6 = Method6.AUTO
    address: Address6 | None = None
    gateway: Ip6 | None = None

    @model_validator(mode="after")
    def _complete(self) -> IPv6:
        findings = Findings()
        _static_problems(self.method, self.address, self.gateway, findings)
        findings.raise_any()
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Bond:
    """Several interfaces as one."""

    interfaces: Annotated[tuple[Interface, ...], Field(min_length=1, max_length=16)]
    mode: BondMode = BondMode.ACTIVE_BACKUP

    @model_validator(mode="after")
    def _distinct(self) -> Bond:
        findings = Findings()
        for place, name in enumerate(self.interfaces):
            if name in self.interfaces[:place]:
                findings.add(f"{name} is named twice", key=("interfaces", place))
        findings.raise_any()
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Dns:
    """Name servers and search domains, besides what DHCP or router advertisements bring."""

    servers: Annotated[tuple[Ip, ...], Field(max_length=8)] = ()
    search: Annotated[tuple[Domain, ...], Field(max_length=16)] = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Network:
    """The management network: one interface or bond, perhaps a VLAN on it.

    Without ``interface`` and ``bond`` it is the only wired interface that has a link.
    """

    interface: Interface | None = None
    bond: Bond | None = None
    vlan: Vlan | None = None
    mtu: Mtu | None = None
    ipv4: IPv4 = IPv4()
    ipv6: IPv6 = IPv6()
    dns: Dns = Dns()

    @model_validator(mode="after")
    def _consistent(self) -> Network:
        findings = Findings()
        if self.interface is not None and self.bond is not None:
            hint = "Give one of them: a bond names its own interfaces"
            findings.add("interface and bond are both given", hint, key="interface")
        if self.ipv4.method is Method4.NONE and self.ipv6.method is Method6.NONE:
            findings.add(
                "the node would have no address", "Use IPv4 or IPv6", key=("ipv4", "method")
            )
        if self.mtu is not None and self.mtu < MIN_MTU_IPV6 and self.ipv6.method != "none":
            hint = "Raise it, or choose none as the method of IPv6"
            findings.add(f"IPv6 needs an MTU of at least {MIN_MTU_IPV6}", hint, key="mtu")
        findings.raise_any()
        return self
