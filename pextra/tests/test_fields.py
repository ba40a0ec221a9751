# SPDX-License-Identifier: Apache-2.0
"""Field tables: normalised input is canonical, unset is not null, and nothing strange gets in."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.calls.apply import FIELDS as APPLY
from pextra.calls.apply import manifest
from pextra.calls.call import options
from pextra.calls.resource import to_request
from pextra.kinds.registry import KINDS
from pextra.model.errors import AggregateError, InputError, PextraError
from pextra.model.fields import MASK, Field, masked, normalise
from pextra.model.names import AnyName

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0c2FsdA$" + "A" * 43
names = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?", fullmatch=True)
device_names = st.from_regex(r"[a-z][a-z0-9-]{2,12}", fullmatch=True)
sizes = st.builds(
    "{}{}".format, st.integers(16, 4000), st.sampled_from(["MiB", "M", "GiB", " gib"])
)
macs = st.binary(min_size=5, max_size=5).map(lambda rest: "52-" + rest.hex("-").upper())
texts = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=40)
paths = st.from_regex(r"/[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,3}", fullmatch=True)
devices = st.fixed_dictionaries(
    {"name": device_names}, optional={"port_group": names, "mac": macs, "model": st.just("virtio")}
)
volumes = st.fixed_dictionaries(
    {"name": names},
    optional={
        "size": sizes, "format": st.sampled_from(["raw", "qcow2"]), "image": paths,
        "bus": st.sampled_from(["virtio", "sata"]), "device_path": st.just("/dev/vdb"),
    },
)  # fmt: skip
GIVEN: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "organization": {"name": names, "description": texts},
    "datacenter": {
        "name": names,
        "location": st.none() | st.fixed_dictionaries(
            {"latitude": st.floats(-90, 90), "longitude": st.integers(-180, 180)}
        ),
    },
    "node": {"name": names, "wol_mac": st.none() | macs, "ip_address": st.ip_addresses().map(str)},
    "user": {
        "username": st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True),
        "password": st.text(
            st.characters(codec="utf-8", exclude_characters="\0"), min_size=8, max_size=30
        ),
        "password_hash": st.just(HASH),
        "expiry": st.none() | st.datetimes(timezones=st.just(dt.UTC)).map(dt.datetime.isoformat),
        "enabled": st.sampled_from([True, False, "yes", "no", "on", 0, 1]),
        "update_password": st.sampled_from(["always", "on_create"]),
    },
    "vswitch": {
        "name": st.integers(1, 9_999_999).map("svswitch{}".format),
        "mtu": st.integers(576, 9216) | st.integers(576, 9216).map(str),
        "uplinks": st.lists(st.sampled_from(["eth0", "eth1", "enp3s0f1"]), unique=True),
        "bond": st.fixed_dictionaries(
            {}, optional={"mode": st.just("802.3ad"), "primary": st.none() | st.just("eth0")}
        ),
    },
    "port_group": {
        "name": names, "vswitch": names, "vlan_id": st.none() | st.integers(1, 4094),
        "trunk": st.lists(st.integers(1, 4094) | st.sampled_from(["20-30", " 7 - 9", "9-12"])),
        "isolated": st.booleans(), "forged_transmits": st.sampled_from(["yes", False]),
        "rate_limit": st.fixed_dictionaries({}, optional={
            "inbound": st.none() | st.sampled_from(["100Mbit", "1.5gbit", 64000, "10 Gbit/s"]),
        }),
    },
    "volume": {
        "name": names, "size": sizes, "grow_by": sizes, "image": paths,
        "format": st.none() | st.sampled_from(["raw", "qcow2"]),
        "state": st.sampled_from(["present", "attached", "detached", "absent"]),
    },
    "instance": {
        "name": names, "memory": st.integers(16, 4096) | sizes, "cdrom": st.none() | paths,
        "cpu": st.fixed_dictionaries({}, optional={"cores": st.integers(1, 8) | st.just("2")}),
        "cloud_init": st.none() | st.fixed_dictionaries({}, optional={
            "user_data": texts.map("#!/bin/sh\n{}".format) | st.dictionaries(names, texts),
        }),
        "volumes": st.lists(volumes, max_size=3, unique_by=lambda item: item["name"]),
        "networks": st.lists(devices, max_size=3, unique_by=lambda item: item["name"]),
        "boot_order": st.lists(device_names, max_size=2),
    },
}  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A kind, and acceptable raw options for it."""
    kind = draw(st.sampled_from(sorted(GIVEN)))
    return kind, draw(st.fixed_dictionaries({}, optional=GIVEN[kind]))


def canonical(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options, normalised by the kind's table."""
    return normalise(KINDS[kind].spec.accepts, options, kind)


@given(requests())
def test_normalising_twice_is_normalising_once(request: tuple[str, dict[str, Any]]) -> None:
    kind, options = request
    once = canonical(kind, options)
    again = dict(once)
    if "memory" in again:
        again["memory"] = f"{again['memory']}MiB"
    assert canonical(kind, again) == once


@given(requests())
def test_raw_options_are_left_as_they_are(request: tuple[str, dict[str, Any]]) -> None:
    kind, options = request
    before = copy.deepcopy(options)
    canonical(kind, options)
    assert options == before


@given(requests(), st.data())
def test_null_is_left_out_unless_it_clears_the_value(
    request: tuple[str, dict[str, Any]], data: st.DataObject
) -> None:
    kind, options = request
    fields = {field.name: field for field in KINDS[kind].spec.accepts}
    null = data.draw(st.sets(st.sampled_from(sorted(fields))))
    found = canonical(kind, {**options, **dict.fromkeys(null)})
    without = canonical(kind, {key: options[key] for key in options if key not in null})
    cleared = {name for name in null if fields[name].nullable}
    assert found == {**without, **dict.fromkeys(cleared)}


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_any_value_is_taken_or_an_error_that_a_user_understands(
    kind: str, data: st.DataObject
) -> None:
    fields = [field.name for field in KINDS[kind].spec.accepts]
    options = data.draw(st.dictionaries(st.sampled_from(fields), json, max_size=4))
    try:
        once = canonical(kind, options)
    except InputError:
        return
    except AggregateError as several:
        assert_only_input(several)
        return
    assert set(once) <= set(options)


def assert_only_input(several: AggregateError) -> None:
    assert {type(error) for error in several.errors} == {InputError}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_unknown_option_is_refused_with_the_nearest(kind: str) -> None:
    with pytest.raises(InputError, match="unknown option: descripton"):
        canonical(kind, {"descripton": "x"})


def test_a_part_of_an_options_name_leads_to_the_option() -> None:
    with pytest.raises(InputError) as refused:
        canonical("volume", {"pool": "x"})
    assert refused.value.hint == "Did you mean storage_pool?"


def test_nested_option_that_is_unknown_is_refused() -> None:
    with pytest.raises(InputError, match="colour"):
        canonical("instance", {"networks": [{"name": "net0", "colour": "red"}]})


def test_error_says_where_in_a_list_it_is() -> None:
    bad = [{"name": "net0"}, {"name": "net1", "mac": "x"}]
    with pytest.raises(InputError, match=r"networks\[1\]\.mac"):
        canonical("instance", {"networks": bad})


SECRETIVE = (
    Field("password", secret=True),
    Field("parts", "list", elements="dict", options=(Field("key", secret=True),)),
    Field("one", "dict", options=(Field("token", secret=True), Field("name"))),
    Field("state"),
)


def test_secrets_are_masked_at_every_level() -> None:
    given = {
        "password": "a1", "parts": [{"key": "b2"}, "c3", {"key": None}, None],
        "one": {"token": "e5", "name": "f6"}, "state": None,
    }  # fmt: skip
    found = masked(SECRETIVE, given)
    assert found.secrets == {"a1", "b2", "c3", "e5"}
    assert found.shown == {
        "password": MASK, "parts": [{"key": MASK}, MASK, {"key": None}, None],
        "one": {"token": MASK, "name": "f6"}, "state": None,
    }  # fmt: skip


def test_what_equals_a_secret_is_still_shown() -> None:
    assert masked(SECRETIVE, {"password": "present", "state": "present"}).shown == {
        "password": MASK, "state": "present"
    }  # fmt: skip


def test_a_secret_under_a_misspelt_name_is_masked() -> None:
    found = masked(SECRETIVE, {"passwort": "hunter2", "one": {"tokem": "hunter3"}})
    assert found.shown == {"passwort": MASK, "one": {"tokem": MASK}}
    found = masked(KINDS["user"].spec.accepts, {"username": {"password": "hunter2"}})
    assert found.shown == {"username": MASK}


@pytest.mark.parametrize("text", ['{"token": "e5", "name": "f6"}', "token=e5 name=f6"])
def test_secrets_are_masked_in_a_dictionary_that_is_a_text(text: str) -> None:
    found = masked(SECRETIVE, {"one": text})
    assert found.shown == {"one": {"token": MASK, "name": "f6"}}
    assert found.secrets == {"e5"}


def test_an_error_does_not_quote_a_secret_of_the_wrong_type() -> None:
    with pytest.raises(InputError) as caught:
        normalise(SECRETIVE, {"password": {"a": "hunter2"}}, "thing")
    assert "hunter2" not in str(caught.value)
    assert "password" in str(caught.value)
    assert masked(SECRETIVE, {"password": {"a": "hunter2"}}).secrets == {"hunter2"}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("user", {"username": {"password": "hunter2"}}),
        ("user", {"username": ["hunter2"]}),
        ("instance", {"name": "vm", "cloud_init": "hunter2"}),
        ("instance", {"name": "vm", "volumes": {"cloud_init": "hunter2"}}),
        ("storage_pool", {"name": "p", "options": ["hunter2"]}),
    ],
)
def test_an_error_does_not_quote_what_may_have_a_secret_in_it(
    kind: AnyName, given: dict[str, object]
) -> None:
    with pytest.raises(InputError) as caught:
        to_request(KINDS[kind], given)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "resources",
    [
        {"kind": "user", "password": "hunter2"},
        '[{"password": "hunter2", "kind": "user"}]',
        [{"kind": {"password": "hunter2"}}],
        ["hunter2"],
    ],
)
def test_an_error_does_not_quote_a_manifest(resources: object) -> None:
    with pytest.raises(PextraError) as caught:
        manifest(options(APPLY, {"resources": resources}, "apply")["resources"])
    assert "hunter2" not in str(caught.value)


def test_public_row_has_no_secret() -> None:
    for kind in KINDS.values():
        row = dict.fromkeys((*kind.spec.secret_columns(), "name"), "x")
        assert kind.spec.public(row) == {"name": "x"}
