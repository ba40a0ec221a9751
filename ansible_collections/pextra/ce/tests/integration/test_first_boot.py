# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the installer's first boot asks the engine for, where the licence key is no good."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from ansible_collections.pextra.ce.tests.integration.lab import Lab
from pextra.licensing import keys, token
from pextra_installer import first_boot


def test_a_licence_key_that_is_refused_leaves_an_evaluation_that_a_good_one_replaces(
    lab: Lab,
) -> None:
    private, public = keys.generate_pair()
    now, year = dt.datetime.now(dt.UTC), dt.timedelta(days=365)
    key = token.issue(private, "Example", "standard", now - year, now + year)
    user = {"kind": "user", "username": "pceadmin", "organization": "org", "is_root": True}
    manifest = [{"kind": "node_license", "node": "node1", "key": key}, user]

    given, evaluation, none = first_boot.licensed(manifest)
    assert lab.apply_refused(*given).code == "license_unknown_signer"
    assert [one["kind"] for one in none] == ["user"]
    lab.apply(*evaluation)
    (found,) = lab.run("node_license_info")["node_licenses"]
    assert found["edition"] == "evaluation"
    assert [one["username"] for one in lab.run("user_info")["users"]] == ["pceadmin"]

    trusted = Path(lab.directories[1], "license-keys.d", "seller.pem")
    trusted.parent.mkdir(exist_ok=True)
    trusted.write_bytes(keys.public_pem(public))
    assert lab.run("node_license", key=key).changed
    (found,) = lab.run("node_license_info", node="node1")["node_licenses"]
    assert found["edition"] == "standard"
