# SPDX-License-Identifier: Apache-2.0
"""What cloud-init is given: mappings and texts come to one form, what it ignores is refused."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pextra.kinds.instance import cloud_init
from pextra.kinds.registry import KINDS
from pextra.model import units
from pextra.model.errors import InputError
from pextra.model.fields import MASK, masked, normalise

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)
documents = st.dictionaries(
    texts,
    st.recursive(
        st.none() | st.booleans() | st.integers() | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


def message(config: str) -> str:
    """User data of several parts, one of which is this configuration."""
    head = 'Content-Type: multipart/mixed; boundary="=="\nMIME-Version: 1.0\n'
    return f"{head}\n--==\nContent-Type: text/cloud-config\n\n{config}\n--==--\n"


@given(documents)
def test_mapping_is_yaml_below_its_header_and_says_the_same(document: dict[str, Any]) -> None:
    text = cloud_init.parse_data(document)
    assert text.startswith("#cloud-config\n")
    assert yaml.safe_load(text) == document
    assert cloud_init.parse_data(text) == text


def test_order_and_letters_of_a_mapping_stay() -> None:
    text = cloud_init.parse_data({"zuerst": "Grüße", "am Ende": ["52:54:00:12:34:56", "no"]})
    assert text == (
        "#cloud-config\nzuerst: Grüße\nam Ende:\n- 52:54:00:12:34:56\n- 'no'\n"
    ).replace("- 52:54:00:12:34:56", "- '52:54:00:12:34:56'")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#cloud-config",
        "#cloud-config\n",
        "#cloud-config\n# nothing yet\n",
        "#cloud-config\r\npackages: [nginx]\r\n",
        "#Cloud-Config\npackages: [nginx]\n",
        "#cloud-config-archive\n- type: text/x-shellscript\n  content: ls\n",
        "#!/bin/sh\n: not { yaml\n",
        "#include\nhttps://example.net/user-data\n",
        "#cloud-boothook\n#!/bin/sh\n",
        "## template: jinja\n#cloud-config\n{% for x in y %}\n",
        "## template: jinja\n{% if v1.x %}\n#cloud-config\n{% endif %}\n",
        'Content-Type: multipart/mixed; boundary="=="\nMIME-Version: 1.0\n\n--==\n',
        message("#cloud-config\nruncmd: [ls]"),
    ],
)
def test_what_cloud_init_knows_is_taken_as_it_is(text: str) -> None:
    assert cloud_init.parse_data(text) == text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("packages: [nginx]\n", "no header that cloud-init knows"),
        ("# cloud-config\npackages: [nginx]\n", "no header that cloud-init knows"),
        ('{"packages": ["nginx"]}', "no header that cloud-init knows"),
        ("\n#cloud-config\npackages: [nginx]\n", "begins with a blank"),
        (" #cloud-config\n", "begins with a blank"),
        ("\ufeff#cloud-config\n", "begins with a byte order mark"),
        ("#cloud-config\npackages: [HUSH\n", "not YAML in line 3, column 1"),
        ("#cloud-config\npassword: *HUSH\n", "not YAML in line 2, column 11: found undefined"),
        ("#cloud-config\npassword: !HUSH x\n", "not YAML in line 2, column 11"),
        ("#cloud-config\n\tpassword: HUSH\n", "not YAML in line 2"),
        ("#cloud-config\nHUSH\n", "what is below its header is not a mapping"),
        ("#cloud-config\n- HUSH\n", "what is below its header is not a mapping"),
        ("#cloud-config-archive\nHUSH: x\n", "what is below its header is not a list"),
        (f"#cloud-config\na: {'[' * 5000}HUSH", "not YAML"),
        (["HUSH"], "neither a text nor a mapping"),
        (5, "neither a text nor a mapping"),
        ({"a": b"HUSH", "b": {1, 2}, "c": object()}, "neither texts, numbers"),
        ("#cloud-config\na: HUSH\0", "characters that cannot be stored"),
        ({"a\ud800": "HUSH"}, "characters that cannot be stored"),
        ({"a": ["HUSH", float("nan")]}, "not a number"),
        ("## template: jinja\npassword: HUSH\n", "second line is no header"),
        (message("password: [HUSH"), "not YAML in line 1"),
        (message("- HUSH"), "a part of it that is text/cloud-config is not a mapping"),
    ],
)
def test_what_cloud_init_would_ignore_is_refused_and_not_shown(value: object, message: str) -> None:
    for option in cloud_init.DATA:
        given = {"name": "vm", "cloud_init": {option: value}}
        with pytest.raises(InputError) as raised:
            normalise(KINDS["instance"].spec.accepts, given, "vm")
        assert f"cloud_init.{option}: " in str(raised.value)
        assert message in str(raised.value)
        assert "HUSH" not in str(raised.value)


def test_words_of_a_mapping_are_no_secrets_of_their_own() -> None:
    given = {"cloud_init": {"user_data": {"runcmd": ["start"], "password": "x"}}}
    found = masked(KINDS["instance"].spec.accepts, given)
    assert found.shown == {"cloud_init": {"user_data": MASK}}
    assert "start" not in found.secrets


# Networks

TWO = {"version": 2, "ethernets": {"lan": {"match": {"macaddress": "52:54:00:12:34:56"}}}}
ONE = {
    "version": 1,
    "config": [{"type": "physical", "name": "eth0", "mac_address": "52:54:00:12:34:56"}],
}


@pytest.mark.parametrize("config", [TWO, ONE, {"network": TWO}, {"config": "disabled"}])
def test_network_is_taken_as_a_mapping_and_as_text(config: dict[str, object]) -> None:
    assert cloud_init.parse_network(config) == config
    assert cloud_init.parse_network(yaml.safe_dump(config)) == config
    assert cloud_init.parse_network(cloud_init.parse_network(config)) == config


@pytest.mark.parametrize("config", [TWO, ONE, {"network": TWO}])
def test_address_without_quotes_is_itself_again(config: dict[str, object]) -> None:
    text = yaml.safe_dump(config).replace("'52:54:00:12:34:56'", "52:54:00:12:34:56")
    assert "'" not in text
    assert "41135085296" in str(yaml.safe_load(text))
    assert cloud_init.parse_network(text) == config
    assert cloud_init.parse_network(yaml.safe_load(text)) == config


@given(st.tuples(st.integers(10, 99), *itertools.repeat(st.integers(0, 59), 5)))
def test_every_address_that_yaml_takes_for_a_number_is_itself_again(parts: tuple[int, ...]) -> None:
    address = ":".join(f"{part:02d}" for part in parts)
    number = yaml.safe_load(address)
    assert isinstance(number, int)
    if parts[0] // 10 % 2 == 0 and int(f"{parts[0]}", 16) & 1 == 0:
        assert units.parse_mac(number) == units.parse_mac(address) == address
        assert units.parse_mac(str(number)) == address


def doubled(times: int) -> str:
    """A network's configuration of a few lines with a list that stands for 2 to the power of it."""
    lines = [
        f"l{number}: &l{number} [*l{number - 1}, *l{number - 1}]" for number in range(1, times)
    ]
    return "\n".join(["version: 2", "l0: &l0 [x, x]", *lines])


@pytest.mark.parametrize(
    "text",
    [
        "version: 2\nethernets: {1: {a: 2024-01-01, b: 2001-12-14t21:59:43Z, c: 1.5, d: null}}",
        {"version": 2, "ethernets": {1: {"a": "2024-01-01", "b": "2001-12-14T21:59:43+00:00",
                                         "c": 1.5, "d": None}}},
    ],
)  # fmt: skip
def test_what_yaml_has_and_json_has_not_is_kept_as_text(text: object) -> None:
    found = cloud_init.parse_network(text)
    moments = {"a": "2024-01-01", "b": "2001-12-14T21:59:43+00:00"}
    assert found == {"version": 2, "ethernets": {"1": {**moments, "c": 1.5, "d": None}}}
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("value", [{"a": "\0"}, {"a": ["\ud800"]}, {"\ud800": 1}, {"a": 10**400}])
def test_metadata_that_cannot_be_stored_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"meta_data: .*(cannot be stored|not acceptable)"):
        normalise(KINDS["instance"].spec.accepts, {"cloud_init": {"meta_data": value}}, "vm")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "it says no version"),
        ({"ethernets": {}}, "it says no version"),
        ({"version": 3}, "its version is 3"),
        ({"version": "2"}, "its version is '2'"),
        ({"version": 1}, "no list config"),
        ({"version": 1, "config": ["eth0"]}, "no list config of mappings"),
        ({"version": 2, "ethernets": ["eth0"]}, "ethernets is not a mapping of names"),
        ({"version": 2, "ethernets": {"eth0": None}}, "ethernets is not a mapping of names"),
        ({"network": "none"}, "network is not a mapping"),
        ("version: 2\nethernets: {", "not YAML in line"),
        ("none", "neither a mapping nor YAML of one"),
        ("", "neither a mapping nor YAML of one"),
        (["version"], "neither a mapping nor YAML of one"),
        ({"version": 2, "ethernets": {"a": {"match": {"macaddress": 5}}}}, "in quotes"),
        ("version: true\nconfig: []", "its version is True"),
        ('version: 2\nethernets: {a: {b: "\\0"}}', "characters that cannot be stored"),
        ({"version": 2, "ethernets": {"a\ud800": {}}}, "characters that cannot be stored"),
        ("version: 2\nethernets: {a: {b: !!binary aGVsbG8=}}", "neither texts, numbers"),
        ("version: 2\nethernets: {a: {b: .inf}}", "not a number"),
        ("version: 2\nethernets: {true: {}}", "a key that is neither a text nor a number"),
        ("version: 2\nethernets: &a\n  b: *a\n", "more than 50 within each other"),
        (doubled(40), "more than 10000 values"),
    ],
)
def test_network_that_cloud_init_would_not_take_is_refused(value: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        normalise(KINDS["instance"].spec.accepts, {"cloud_init": {"network_config": value}}, "vm")
    assert "cloud_init.network_config: " in str(raised.value)
