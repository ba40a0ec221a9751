"""What is acceptable in answers, and most likely not what was meant. Pure."""

from __future__ import annotations

import ipaddress

from pextra_installer import strength
from pextra_installer.network import Method4, Method6
from pextra_installer.plan import Plan


def password_warnings(plan: Plan) -> list[str]:
    """The same of the password, which the wizard asks about when it is typed."""
    password = plan.administrator.password
    if password is None or strength.of(password) > strength.WEAK:
        return []
    return [f"the administrator's password is {strength.word(password)}: it would soon be guessed"]


def warnings(plan: Plan) -> list[str]:
    """A line each, for people."""
    network = plan.network
    four, six = network.ipv4, network.ipv6
    found = []
    if four.address is None and six.address is None:
        found.append(
            "the node's address is given by others and must not change later: have it reserved for"
            " this machine, or choose a static one"
        )
    for name, family in (("IPv4", four), ("IPv6", six)):
        if family.address is not None and family.gateway is None:
            only = ipaddress.ip_interface(family.address).network
            found.append(f"no {name} gateway is given: by {name} the node reaches {only} alone")
    if not network.dns.servers and Method4.DHCP is not four.method:
        by = " but by router advertisements" if six.method is Method6.AUTO else ""
        found.append(f"no DNS server is given: the node resolves no names{by}")
    return found
