"""Answer files: what is accepted, what is refused and how, and the way there and back."""

from __future__ import annotations

import json
import pathlib
import stat
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pextra_installer import advice, check, cli, plan, redaction, secrets
from pextra_installer.answers import files, schema
from pextra_installer.answers.toml_document import parse_toml
from pextra_installer.answers.yaml_document import parse_yaml
from pextra_installer.problems import AnswersError, InstallerError, path_text

from . import strategies

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures"
ACCEPTED = sorted((FIXTURES / "accepted").iterdir())
REJECTED = sorted(path for path in (FIXTURES / "rejected").iterdir() if path.suffix != ".json")
EXPECTED: dict[str, list[str]] = json.loads((FIXTURES / "rejected/expected.json").read_text())


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.name)
def test_an_acceptable_file_is_a_plan_and_fits_the_published_schema(path: pathlib.Path) -> None:
    made = files.read(path)
    assert made.version == 1
    document = (parse_toml if path.suffix == ".toml" else parse_yaml)(path.read_text(), path.name)
    jsonschema.validate(document.data, json.loads(schema.PUBLISHED.read_text()))


@pytest.mark.parametrize("path", REJECTED, ids=lambda path: path.name)
def test_an_unacceptable_file_is_refused_with_every_error_its_line_and_a_hint(
    path: pathlib.Path,
) -> None:
    with pytest.raises(AnswersError) as caught:
        files.read(path)
    assert [str(problem) for problem in caught.value.problems] == EXPECTED[path.name]


@pytest.mark.parametrize("name", ["none.yaml", "answers.txt"])
def test_a_file_that_cannot_be_read_is_told_apart_from_other_failures(
    tmp_path: pathlib.Path, name: str
) -> None:
    with pytest.raises(AnswersError, match=r"cannot be read|not tell the format") as caught:
        files.read(tmp_path / name)
    assert caught.value.code == 3


def test_every_refused_file_has_its_expected_errors() -> None:
    assert set(EXPECTED) == {path.name for path in REJECTED}


def test_yaml_and_toml_say_the_same() -> None:
    accepted = FIXTURES / "accepted"
    assert files.read(accepted / "static.yaml") == files.read(accepted / "static.toml")


@settings(max_examples=40, deadline=None)
@given(made=strategies.plans, format=st.sampled_from(files.Format))
def test_what_is_written_reads_back_as_the_same_plan(made: plan.Plan, format: files.Format) -> None:
    assert files.parse(files.render(made, format).encode(), format, "answers") == made


@settings(max_examples=30, deadline=None)
@given(made=strategies.plans)
def test_every_plan_fits_the_published_schema(made: plan.Plan) -> None:
    jsonschema.validate(check.data_of(made), json.loads(schema.PUBLISHED.read_text()))


def test_the_published_schema_is_the_one_of_the_plan() -> None:
    assert schema.PUBLISHED.read_text() == schema.schema_text(), (
        "write it anew: pextra-installer schema > installer/pextra_installer/data/"
        "answers-v1.schema.json"
    )


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200), format=st.sampled_from(files.Format))
def test_any_bytes_are_a_plan_or_a_refusal(data: bytes, format: files.Format) -> None:
    with pytest.raises(AnswersError):
        files.parse(data, format, "answers")


KEYS = st.sampled_from(["version", "disk", "match", "size", "network", "ipv4", "hostname", "x"])
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(tree=st.dictionaries(KEYS, TREES, max_size=6))
def test_any_data_are_refused_with_lines_of_the_file(tree: dict[str, Any]) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True)
    with pytest.raises(AnswersError) as caught:
        files.parse(text.encode(), files.Format.YAML, "answers")
    count = len(text.splitlines())
    assert all(1 <= (problem.line or 1) <= count + 1 for problem in caught.value.problems)


def test_every_line_of_toml_is_the_one_that_an_editor_shows() -> None:
    text = (FIXTURES / "accepted/static.toml").read_text()
    lines = text.splitlines()
    for path, number in parse_toml(text, "answers").lines.items():
        last = next((part for part in reversed(path) if isinstance(part, str)), "")
        assert last in lines[number - 1], f"{path_text(path)} is not on line {number}"


def test_no_error_shows_a_secret() -> None:
    secret = "s3cret\x01value"
    data = {
        "administrator": {"password": secret, "password_hash": secret},
        "license_key": secret,
    }
    with pytest.raises(AnswersError) as caught:
        check.plan_of(data)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.name)
def test_a_plan_shown_by_mistake_shows_no_secret(path: pathlib.Path) -> None:
    made = files.read(path)
    found = secrets.secrets_of(made)
    assert found
    assert not [secret for secret in found if secret in repr(made)]
    text = files.render(made, files.Format.YAML)
    assert not [secret for secret in found if secret in redaction.redact(text, found)]


def test_a_saved_file_is_for_its_owner_alone(tmp_path: pathlib.Path) -> None:
    made = files.read(FIXTURES / "accepted/minimal.yaml")
    target = tmp_path / "answers.yaml"
    files.write(made, target)
    files.write(made, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert files.read(target) == made
    assert list(tmp_path.iterdir()) == [target]


BASE: dict[str, Any] = {
    "version": 1,
    "agreement": "accepted",
    "hostname": "node1",
    "organization": "Example",
    "administrator": {"password": "correct horse battery"},
    "disk": {"match": [{}]},
}


def static4(address: str, gateway: str | None = None) -> dict[str, Any]:
    given = {"gateway": gateway} if gateway else {}
    return {"ipv4": {"method": "static", "address": address, **given}}


def static6(address: str, gateway: str | None = None) -> dict[str, Any]:
    given = {"gateway": gateway} if gateway else {}
    return {"ipv6": {"method": "static", "address": address, **given}}


NO_ADDRESSES = {
    "zone": (static6("2001:db8::1%eth0/64"), "names an interface"),
    "zone of a gateway": (static6("2001:db8::9/64", "fe80::1%eth0"), "names an interface"),
    "zone of a name server": ({"dns": {"servers": ["fe80::1%2"]}}, "names an interface"),
    "link-local": (static4("169.254.1.1/16"), "link-local"),
    "link-local, IPv6": (static6("fe80::5/64"), "link-local"),
    "mapped": (static6("::ffff:192.0.2.1/96"), "written as one of IPv6"),
    "class E": (static4("240.0.0.1/8"), "is reserved"),
    "this network": (static4("0.1.2.3/8"), "stands for no address"),
    "all of the internet": (static4("192.0.2.1/0"), "makes most of the internet neighbours"),
    "the network": (static4("192.0.2.9/24", "192.0.2.0"), "the network 192.0.2.0/24 itself"),
    "the network, IPv6": (static6("2001:db8::9/64", "2001:db8::"), "2001:db8::/64 itself"),
    "broadcast": (static4("192.0.2.9/24", "192.0.2.255"), "the broadcast address"),
    "gateway by link-local IPv4": (static4("192.0.2.9/24", "169.254.0.1"), "outside the network"),
    "gateway outside": (static4("192.0.2.9/24", "198.51.100.1"), "outside the network"),
    "gateway of a group": (static6("2001:db8::9/64", "ff02::2"), "multicast"),
    "gateway is loopback": (static4("192.0.2.9/24", "127.0.0.1"), "loopback"),
    "gateway is nothing": (static6("2001:db8::9/64", "::"), "stands for no address"),
    "DNS: nothing": ({"dns": {"servers": ["0.0.0.0"]}}, "stands for no address"),
    "DNS: nothing, IPv6": ({"dns": {"servers": ["::"]}}, "stands for no address"),
    "DNS: group": ({"dns": {"servers": ["224.0.0.251"]}}, "multicast"),
    "DNS: broadcast": ({"dns": {"servers": ["255.255.255.255"]}}, "is reserved"),
    "DNS: loopback": ({"dns": {"servers": ["127.0.0.53"]}}, "loopback"),
}


@pytest.mark.parametrize(("network", "reason"), NO_ADDRESSES.values(), ids=NO_ADDRESSES)
def test_an_address_that_no_machine_can_have_there_is_refused(
    network: dict[str, Any], reason: str
) -> None:
    with pytest.raises(AnswersError) as caught:
        check.plan_of({**BASE, "network": network})
    (problem,) = caught.value.problems
    assert reason in problem.message


@pytest.mark.parametrize(
    "network",
    [
        static4("192.0.2.9/31", "192.0.2.8"),
        static6("2001:db8::9/64", "fe80::1"),
        static6("2001:db8::1/127", "2001:db8::"),
        {"dns": {"servers": ["192.0.2.53", "fe80::53"]}},
    ],
)
def test_an_address_that_a_machine_can_have_is_taken(network: dict[str, Any]) -> None:
    check.plan_of({**BASE, "network": network})


@pytest.mark.parametrize("name", ["Kea & Sons", "Müller GmbH & Co. KG", "株式会社"])
def test_an_organization_is_called_as_people_call_it(name: str) -> None:
    plan = check.plan_of({**BASE, "organization": name})
    assert plan.organization == name
    assert (
        files.parse(files.render(plan, files.Format.YAML).encode(), files.Format.YAML, "a") == plan
    )


@pytest.mark.parametrize(
    ("layout", "hint"), [("gbr", "Did you mean gb?"), ("ru", "Use one of: us, gb"), ("", "Use")]
)
def test_a_keyboard_that_nobody_can_log_in_with_is_refused(layout: str, hint: str) -> None:
    with pytest.raises(AnswersError, match="is no keyboard layout of a console") as caught:
        check.plan_of({**BASE, "keyboard": layout})
    assert hint in str(caught.value)


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "Factory", "posix/Europe/Berlin"])
def test_what_names_no_time_zone_of_its_own_is_none(zone: str) -> None:
    with pytest.raises(AnswersError, match="is not a time zone"):
        check.plan_of({**BASE, "timezone": zone})


@pytest.mark.parametrize(
    ("password", "good"),
    [("x" * 256, True), ("x" * 257, False), ("\u00e4" * 128, True), ("\u00e4" * 129, False)],
)
def test_a_password_is_no_longer_than_the_part_of_it_that_counts(password: str, good: bool) -> None:
    data = {**BASE, "administrator": {"password": password}}
    if good:
        made = secrets.hashed(check.plan_of(data)).administrator.root_password_hash
        shorter = secrets.crypt_hash(password[:-1])
        assert made is not None
        assert made.split("$")[3] != shorter.split("$")[3]
    else:
        with pytest.raises(AnswersError, match="256"):
            check.plan_of(data)


@pytest.mark.parametrize("password", ["x" * 257, "one\ntwo lines", "a\0zero"])
def test_a_password_of_which_a_part_would_count_gets_no_hash(password: str) -> None:
    with pytest.raises(InstallerError, match="cannot be hashed"):
        secrets.crypt_hash(password)


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("disk:\n  match:\n    - &x {model: *x}\n", 3, '"&x ..."'),
        ("disk:\n  match:\n    - {model: *SSD}\n", 3, '"*SSD"'),
        ("a: &a b\n", 1, '"&a ..."'),
        ("a: &a [x]\nb: [*a, *a]\n", 1, '"&a ..."'),
    ],
)
def test_anchors_and_aliases_are_refused_where_they_are(text: str, line: int, hint: str) -> None:
    with pytest.raises(AnswersError) as caught:
        files.parse(text.encode(), files.Format.YAML, "answers")
    (problem,) = caught.value.problems
    assert (problem.line, "quotes" in (problem.hint or "")) == (line, True)
    assert hint in (problem.hint or "")


def test_a_few_lines_that_stand_for_gigabytes_are_not_unfolded() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30))]
    with pytest.raises(AnswersError, match="line 1: &a0 is an anchor"):
        files.parse("\n".join(lines).encode(), files.Format.YAML, "answers")


@pytest.mark.parametrize("format", files.Format)
def test_the_largest_file_with_an_error_in_each_line_is_told_of_in_time(
    format: files.Format,
) -> None:
    """Once each error was compared with each other one: some minutes for this file."""
    sign = ": " if format is files.Format.YAML else " = "
    lines = "".join(f"k{number}{sign}1\n" for number in range(6000))
    assert 50_000 < len(lines) <= files.MAX_BYTES
    with pytest.raises(AnswersError) as caught:
        files.parse(lines.encode(), format, "answers")
    assert len(caught.value.problems) > 6000


def test_a_static_network_that_leads_nowhere_is_warned_of() -> None:
    def told(network: dict[str, Any]) -> list[str]:
        return advice.warnings(check.plan_of({**BASE, "network": network}))

    assert [line[:40] for line in told({})] == ["the node's address is given by others an"]
    alone = told(static4("192.0.2.9/24"))
    assert alone == [
        "no IPv4 gateway is given: by IPv4 the node reaches 192.0.2.0/24 alone",
        "no DNS server is given: the node resolves no names but by router advertisements",
    ]
    whole = {**static4("192.0.2.9/24", "192.0.2.1"), "dns": {"servers": ["192.0.2.53"]}}
    assert told(whole) == []
    assert told({**whole, **static6("2001:db8::9/64")}) == [
        "no IPv6 gateway is given: by IPv6 the node reaches 2001:db8::/64 alone"
    ]


def test_validate_shows_what_it_warns_of(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "answers.yaml"
    weak = {"administrator": {"password": "12345678"}}
    path.write_text(yaml.safe_dump({**BASE, **weak, "network": static4("192.0.2.9/24")}))
    assert cli.main(["validate", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "warning: no IPv4 gateway is given" in shown
    assert "warning: the administrator's password is very weak" in shown
    assert "12345678" not in shown
    path.write_text(yaml.safe_dump(BASE))
    assert cli.main(["validate", str(path)]) == 0
    assert "password" not in capsys.readouterr().out


@pytest.mark.parametrize("letter", ["\u200b", "\u00a0", "\u202e", "\ufeff", "\u00ad", "\n", "\0"])
def test_a_password_with_letters_that_nobody_sees_is_refused(letter: str) -> None:
    with pytest.raises(AnswersError, match="no keyboard types"):
        check.plan_of({**BASE, "administrator": {"password": f"correct horse{letter} battery"}})


@pytest.mark.parametrize(
    "text", ["a: &a [*a]\n", "a: !!python/object:os.system {}\n", "? [1, 2]\n: 3\n", "--- \n---\n"]
)
def test_yaml_that_is_more_than_data_is_refused(text: str) -> None:
    with pytest.raises(AnswersError):
        files.parse(text.encode(), files.Format.YAML, "answers")
