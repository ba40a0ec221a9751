"""A server with a timer, a node that takes packages from it, and a stick for when it cannot."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab import ansible, paths

EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
METRICS = "/var/lib/pextra-mirror/metrics/pextra_mirror.prom"
STICK = "/media/usb"
SOURCES = [
    {"prefix": "pextra", "distribution": "bookworm", "components": ["common", "meta"]},
    {"prefix": "debian", "distribution": "trixie", "components": ["main"]},
]


@pytest.fixture(scope="module")
def server(lab: Any) -> Any:
    """The mirror server."""
    return lab.host("server")


@pytest.fixture(scope="module")
def site(lab: Any) -> Any:
    """The node."""
    return lab.host("site")


def play(lab: Any, name: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run a playbook on the node, whatever comes of it."""
    return ansible.play(lab.name, name, "-e", json.dumps({"target": "site", **variables}))


def mirrored(uri: str) -> dict[str, Any]:
    """What the playbook repository is told."""
    return {
        "repository_uri": uri, "repository_key": str(EPHEMERAL / "mirror.asc"),
        "repository_sources": SOURCES, "repository_packages": ["pce-common", "pce-disk"],
    }  # fmt: skip


def offer(server: Any, state: str) -> None:
    """Have the vendor's repository be in another state."""
    server.check_output(f"ln -sfn {state} /srv/internet/vendor")


def metric(server: Any, name: str) -> str:
    """The value of a metric."""
    return str(server.check_output(f"sed -n 's/^{name} //p' {METRICS}"))


def version(host: Any, package: str = "pce-common") -> str:
    """The installed version of a package; empty if it is not installed."""
    return str(host.run(f"dpkg-query -W -f '${{Version}}' {package}").stdout)


def export(server: Any, *options: str) -> list[str]:
    """Write a bundle to the stick; the names of its parts."""
    done = server.check_output(f"pextra-mirror export --json --output {STICK} {' '.join(options)}")
    return [Path(path).name for path in json.loads(done)["parts"]]


def carry(lab: Any, source: Any, target: Any) -> None:
    """Pull the stick out of one machine, carry it over, and plug it into the other."""
    source.check_output(f"umount {STICK}")
    copy = EPHEMERAL / "stick.img"
    scp = ["scp", "-q", "-F", str(paths.lab(lab.name) / "ssh_config")]
    names = {host: f"{host.backend.host.name}:/srv/stick.img" for host in (source, target)}
    subprocess.run([*scp, names[source], str(copy)], check=True)
    subprocess.run([*scp, str(copy), names[target]], check=True)
    plug(target)


def plug(host: Any) -> None:
    """Mount the stick as the README says: readable and writable for the mirror's user."""
    owner = "pextra-mirror" if host.user("pextra-mirror").exists else "root"
    host.check_output(
        f"mkdir -p {STICK} && mount -o loop,uid={owner} -t vfat /srv/stick.img {STICK}"
    )


def take(site: Any, bundle: str) -> Any:
    """Import a bundle by the file that came with it, with nothing but Python and gpgv."""
    site.check_output(f"cp {STICK}/mirror.asc /root/mirror.asc")
    return site.run(
        f"cd / && env -i PATH=/usr/bin python3 -I {STICK}/import-bundle.pyz --tree /srv/mirror "
        f"import {STICK}/{bundle} --keyring /root/mirror.asc"
    )


def test_the_timer_runs_and_syncs_by_itself(server: Any) -> None:
    assert server.service("pextra-mirror.timer").is_running
    assert server.service("pextra-mirror.timer").is_enabled
    assert metric(server, "pextra_mirror_publication") == "1"
    offer(server, "second")
    server.check_output(
        "mkdir -p /run/systemd/system/pextra-mirror.timer.d && printf "
        "'[Timer]\\nOnActiveSec=1\\nRandomizedDelaySec=0\\nAccuracySec=1us\\n' "
        "> /run/systemd/system/pextra-mirror.timer.d/soon.conf && systemctl daemon-reload && "
        "systemctl restart pextra-mirror.timer"
    )
    server.check_output(
        f'timeout 120 sh -c \'until grep -q "^pextra_mirror_publication 2" {METRICS};'
        " do sleep 0.2; done'"
    )
    server.check_output(
        "rm -r /run/systemd/system/pextra-mirror.timer.d && systemctl daemon-reload && "
        "systemctl restart pextra-mirror.timer && systemctl start pextra-mirror"
    )
    assert server.check_output("systemctl show -P Result pextra-mirror") == "success"
    assert metric(server, 'pextra_mirror_sync_ok{source="pextra"}') == "1"


def test_a_failure_is_seen_in_systemctl_the_journal_and_the_metrics(server: Any) -> None:
    offer(server, "forged")
    assert server.run("systemctl start pextra-mirror").rc != 0
    status = server.run("systemctl status --no-pager --full pextra-mirror")
    assert status.rc == 3
    assert "Active: failed (Result: exit-code)" in status.stdout
    assert "source pextra: the signature is not good" in status.stdout
    journal = server.check_output("journalctl --no-pager --unit pextra-mirror")
    assert "source pextra: the signature is not good" in journal
    assert "pextra-mirror.service" in server.check_output("systemctl --failed --no-legend")
    assert metric(server, 'pextra_mirror_sync_ok{source="pextra"}') == "0"
    assert metric(server, "pextra_mirror_publication") == "2"
    offer(server, "second")
    server.check_output("systemctl start pextra-mirror")
    assert server.run("systemctl is-failed pextra-mirror").rc != 0
    assert metric(server, 'pextra_mirror_sync_ok{source="pextra"}') == "1"


def test_restricted_airgap_a_node_takes_packages_from_the_server_and_goes_back(
    lab: Any, site: Any
) -> None:
    done = play(lab, "repository", **mirrored("http://server"))
    assert done.returncode == 0
    assert not site.file("/etc/apt/sources.list.d/pextra-ce.list").exists
    site.check_output("DEBIAN_FRONTEND=noninteractive apt-get -qy install pce-common=1.0 "
                      "pce-node=1.0 pce-web=1.0 cockroachdb=1.0 pce-disk=1.0")  # fmt: skip
    assert (version(site), version(site, "dosfstools") != "") == ("1.0", True)
    done = play(lab, "repository", repository_state="original")
    assert done.returncode == 0
    original = site.file("/etc/apt/sources.list.d/pextra-ce.list").content_string
    assert original == "deb http://vendor.invalid bookworm common meta\n"
    assert not site.file("/etc/apt/sources.list.d/pextra-mirror.sources").exists


def test_full_airgap_a_node_that_reaches_nothing_is_upgraded_by_a_stick(
    lab: Any, server: Any, site: Any
) -> None:
    address = {name: lab.topology.node(name).address for name in ("server", "site")}
    site.check_output("ping -c1 -W5 server")
    server.check_output(f"ip route add blackhole {address['site']}")
    site.check_output(f"ip route add blackhole {address['server']}")
    assert site.run("ping -c1 -W1 server").rc != 0
    assert server.run("ping -c1 -W1 site").rc != 0
    server.check_output("truncate -s 48M /srv/stick.img && mkfs.vfat /srv/stick.img")
    plug(server)
    server.check_output(f"pextra-mirror key > {STICK}/mirror.asc")
    (first, *more) = export(server, "--split", "64KiB")
    assert more
    carry(lab, server, site)

    damaged = f"{STICK}/{more[0]}"
    site.check_output(f"cp {damaged} /root/part && truncate -s -2048 {damaged}")
    assert take(site, first).rc == 7
    assert site.run("ls /srv/mirror/pextra").rc != 0
    site.check_output(f"cp /root/part {damaged}")
    assert take(site, first).rc == 0
    assert take(site, first).rc == 7

    done = play(lab, "repository", **mirrored("file:/srv/mirror"))
    assert done.returncode == 0
    site.check_output("DEBIAN_FRONTEND=noninteractive apt-get -qy dist-upgrade")
    assert {version(site), version(site, "pce-web"), version(site, "pce-disk")} == {"2.0"}
    policy = site.check_output("apt-cache policy pce-common")
    assert "file:/srv/mirror/pextra bookworm/meta" in policy
    assert "http:" not in policy

    carry(lab, site, server)
    server.check_output("pextra-mirror rollback --to 1")
    (second,) = export(server, "--since", f"{STICK}/{first}")
    carry(lab, server, site)
    assert take(site, second).rc == 0
    site.check_output("apt-get -q -o APT::Update::Error-Mode=any update")
    assert "Candidate: 2.0" in site.check_output("apt-cache policy pce-common")
    assert " 2.0 " not in site.check_output("apt-cache madison pce-common")
