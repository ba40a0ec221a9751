"""Plans of any kind, for hypothesis."""

from __future__ import annotations

import ipaddress
import zoneinfo

from hypothesis import strategies as st

from pextra.host.preflight import checks
from pextra_installer import network, plan

ARGON2 = (
    "$argon2id$v=19$m=19456,t=2,p=1$FUPfBPaNXHpHQsbDKZFWQA"
    "$uXU55CcllZVvUxlyRpAeDBjn1Wazy2lGj4uNKuSywY0"
)
CRYPT = (
    "$6$2IrtaeyBmGZgrw6U$jOORmYEjG3tFC5P2aX9dsy0WdMhunPn.xrcTLz8C1g"
    "VmEaZO8gHOx9NH2m7zd0265PwzhwVsKjHKYvFswBZ3o1"
)

labels = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True).filter(
    lambda name: name != "localhost"
)
interfaces = st.one_of(
    st.from_regex(r"en[a-z0-9]{1,10}", fullmatch=True),
    st.integers(1, 0xFFFF).map(lambda n: f"52:54:00:00:{n >> 8:02x}:{n & 255:02x}"),
)
passwords = st.text(
    st.characters(exclude_categories=["C", "Z"], include_characters=" '\"\\#:{}%"),
    min_size=8,
    max_size=40,
)
globs = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
hosts4 = st.integers(2, 250).map(lambda n: f"192.0.2.{n}")
hosts6 = st.integers(2, 1 << 20).map(lambda n: str(ipaddress.ip_address("2001:db8::") + n))


@st.composite
def ipv4(draw: st.DrawFn) -> network.IPv4:
    if draw(st.booleans()):
        return network.IPv4(
            method=network.Method4.STATIC,
            address=f"{draw(hosts4)}/24",
            gateway=draw(st.sampled_from([None, "192.0.2.1"])),
        )
    return network.IPv4()


@st.composite
def ipv6(draw: st.DrawFn) -> network.IPv6:
    method = draw(st.sampled_from(network.Method6))
    if method is network.Method6.STATIC:
        return network.IPv6(
            method=method,
            address=f"{draw(hosts6)}/64",
            gateway=draw(st.sampled_from([None, "fe80::1", "2001:db8::1"])),
        )
    return network.IPv6(method=method)


@st.composite
def networks(draw: st.DrawFn) -> network.Network:
    wires = draw(st.sampled_from(["auto", "interface", "bond"]))
    bond = st.builds(
        network.Bond,
        interfaces=st.lists(interfaces, min_size=1, max_size=4, unique=True).map(tuple),
        mode=st.sampled_from(network.BondMode),
    )
    return network.Network(
        interface=draw(interfaces) if wires == "interface" else None,
        bond=draw(bond) if wires == "bond" else None,
        vlan=draw(st.none() | st.integers(1, 4094)),
        mtu=draw(st.none() | st.integers(1280, 9000)),
        ipv4=draw(ipv4()),
        ipv6=draw(ipv6()),
        dns=network.Dns(
            servers=tuple(draw(st.lists(hosts4 | hosts6, max_size=3))),
            search=tuple(draw(st.lists(labels, max_size=2))),
        ),
    )


administrators = st.one_of(
    st.builds(plan.Administrator, password=passwords),
    st.just(plan.Administrator(password_hash=ARGON2, root_password_hash=CRYPT)),
)
sizes = st.builds(
    lambda low, more: plan.SizeRange(min=low, max=None if more is None else low + more),
    st.integers(0, 1 << 44),
    st.none() | st.integers(0, 1 << 44),
)
filters = st.builds(
    plan.DiskFilter,
    by_id=st.none() | st.from_regex(r"(ata|nvme|scsi)-[A-Za-z0-9_*?-]{1,20}", fullmatch=True),
    path=st.none() | st.sampled_from(["/dev/sda", "/dev/nvme0n1"]),
    serial=st.none() | globs,
    model=st.none() | globs,
    size=st.none() | sizes,
    ssd=st.none() | st.booleans(),
)
zones = sorted(name for name in zoneinfo.available_timezones() if "/" in name)
plans = st.builds(
    plan.Plan,
    version=st.just(1),
    agreement=st.just("accepted"),
    hostname=labels,
    organization=st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9 ._-]{0,20}[A-Za-z0-9])?", fullmatch=True),
    administrator=administrators,
    disk=st.builds(plan.DiskChoice, match=st.lists(filters, min_size=1, max_size=3).map(tuple)),
    network=networks(),
    timezone=st.sampled_from([zone for zone in zones if not zone.startswith(("posix", "right"))]),
    when_done=st.sampled_from(plan.WhenDone),
    ignore_checks=st.lists(st.sampled_from(checks.NAMES), max_size=3, unique=True).map(tuple),
)
