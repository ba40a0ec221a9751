# SPDX-License-Identifier: Apache-2.0
"""Rules: what they mean, what is refused, and that nobody gains by what is not known."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.access import rules
from pextra.access.attributes import ATTRIBUTES, Environment, Resource, Subject
from pextra.model.errors import InputError

SUNDAY = dt.datetime(2026, 11, 29, 9, 30, 15, tzinfo=dt.UTC)
ANN = Subject("user-1", "ann", "org-1", roles=("operator", "auditor"), tags={"team": "web"})
WEB = Resource(
    "instance", "inst-1", "org-1", name="web-1", owner="user-1", tags={"env": "prod", "a-b": "c"}
)
OFFICE = Environment(SUNDAY, "10.1.2.3", "api")


def holds(
    rule: str,
    subject: Subject = ANN,
    resource: Resource = WEB,
    environment: Environment = OFFICE,
) -> bool | None:
    """Whether a rule holds for Ann, a web server and the office."""
    return rules.compiled(rule).holds(subject, resource, environment)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('id == "inst-1"', True),
        ('id === "inst-1" && id !== "inst-2"', True),
        ("id != 'inst-1'", False),
        ("env.day_of_week === 0", True),
        ("env.day_of_week >= 1 && env.day_of_week <= 5", False),
        ('env.time_of_day >= "09:00:00" && env.time_of_day <= "17:00:00"', True),
        ('env.time_of_day > "09:30:15" || env.time_of_day < "09:30:15"', False),
        ('env.source_address.startsWith("10.1.")', True),
        ('env.door == "api"', True),
        ('resource.name.endsWith("-1") && resource.name.includes("eb")', True),
        ("resource.organization_id == principal.organization_id", True),
        ('"instance" == resource.kind', True),
        ("resource.owner == principal.id", True),
        ('resource.tags.env == "prod" && resource.tags["a-b"] == "c"', True),
        ('resource.tags.includes("env") && !resource.tags.includes("prod")', True),
        ('principal.roles.includes("auditor") && principal.tags.team == "web"', True),
        ('principal.name == "ann" && principal.id.startsWith("user-")', True),
        ('"web-1,web-2".includes(resource.name)', True),
        (r"/^web-\d+$/.test(resource.name) && !/^WEB/.test(resource.name)", True),
        ("/^WEB/i.test(resource.name)", True),
        (r"/[/]|\//.test('a/b')", True),
        ('!(id == "a") && !(!(id == "inst-1"))', True),
        ('id == "x" || id == "y" && id == "inst-1" || !(id == "inst-1")', False),
        ('(id == "x" || id == "inst-1") && ((id) == ("inst-1"))', True),
        ("1.5 < 2 && -1 < 0", True),
        ("'\\u0069nst-\\x31' == id && '\\n\\t\\\\\\'' != id", True),
        (' \t\n id\n==\n"inst-1" ', True),
        ('id == "inst-1"&&!("a"=="b")', True),
    ],
)  # fmt: skip
def test_a_rule_means_what_it_means_in_the_guides_language(rule: str, expected: bool) -> None:
    assert holds(rule) is expected


def test_a_week_begins_on_sunday_and_days_and_times_are_those_of_utc() -> None:
    for number in range(7):
        moment = SUNDAY + dt.timedelta(days=number)
        assert Environment(moment).day_of_week == number
    tokyo = dt.timezone(dt.timedelta(hours=9))
    there = Environment(dt.datetime(2026, 11, 30, 1, 2, 3, tzinfo=tokyo))
    assert (there.day_of_week, there.time_of_day) == (0, "16:02:03")


def test_a_moment_without_a_time_zone_is_no_moment() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Environment(dt.datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("node-1", None),
        ("", None),
    ],
)
def test_an_address_has_one_spelling(given: str, address: str | None) -> None:
    assert Environment(source_address=given).address == address


# What is not known

NOBODY = Environment()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('env.source_address == "10.0.0.1"', None),
        ('env.source_address != "10.0.0.1"', None),
        ('!(env.source_address == "10.0.0.1")', None),
        ('!env.source_address.startsWith("10.")', None),
        ("/x/.test(env.door)", None),
        ("!/x/.test(env.door)", None),
        ("env.day_of_week < 9", None),
        ('env.door == "api" || id == "inst-1"', True),
        ('env.door == "api" || id == "inst-2"', None),
        ('env.door == "api" && id == "inst-1"', None),
        ('env.door == "api" && id == "inst-2"', False),
        ('resource.tags.missing == "x"', None),
        ('resource.tags.includes("missing") && resource.tags.missing == "x"', False),
        ('principal.tags.missing == resource.tags.env', None),
    ],
)  # fmt: skip
def test_what_is_not_known_is_neither_true_nor_false(rule: str, expected: bool | None) -> None:
    assert holds(rule, environment=NOBODY) is expected


def test_a_text_that_is_too_long_for_an_expression_is_not_known() -> None:
    long = Resource("instance", "inst-1", "org-1", name="a" * 2000)
    assert holds("/a/.test(resource.name)", resource=long) is None
    assert holds("!/a/.test(resource.name)", resource=long) is None


@dataclass(frozen=True)
class Node:
    """A condition as a text, and as a function of what is known."""

    text: str
    value: Callable[[Mapping[str, str]], bool]


TAGS = ("a", "b", "c")
SIGNS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, ">=": operator.ge}


def conditions() -> st.SearchStrategy[Node]:
    """Conditions on the tags of a resource."""

    def compared(tag: str, sign: str, value: str) -> Node:
        return Node(
            f"resource.tags.{tag} {sign} {json.dumps(value)}",
            lambda tags: SIGNS[sign](tags[tag], value),
        )

    def joined(parts: list[Node], every: bool) -> Node:
        text = (" && " if every else " || ").join(part.text for part in parts)
        join = all if every else any
        return Node(f"({text})", lambda tags: join(part.value(tags) for part in parts))

    def negated(part: Node) -> Node:
        return Node(f"!({part.text})", lambda tags: not part.value(tags))

    leaf = st.builds(
        compared, st.sampled_from(TAGS), st.sampled_from(sorted(SIGNS)), st.sampled_from("xy")
    )
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.builds(joined, st.lists(inner, min_size=1, max_size=3), st.booleans()),
            st.builds(negated, inner),
        ),
        max_leaves=10,
    )


@given(conditions(), st.dictionaries(st.sampled_from(TAGS), st.sampled_from("xy")))
def test_what_is_decided_holds_whatever_the_unknown_is(
    condition: Node, known: dict[str, str]
) -> None:
    """And with everything known, it is what the condition says."""
    found = holds(condition.text, resource=Resource("instance", "inst-1", "org-1", tags=known))
    unknown = [tag for tag in TAGS if tag not in known]
    possible = {
        condition.value({**known, **dict(zip(unknown, values, strict=True))})
        for values in itertools.product("wxyz", repeat=len(unknown))
    }
    if found is not None:
        assert possible == {found}
    used = [tag for tag in unknown if f"tags.{tag} " in condition.text]
    assert used or found is not None


# What is refused


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("", "ends too early"),
        ("id", "ends too early"),
        ("id ==", "ends too early"),
        ('id == "a" id', "character 11"),
        ('id = "a"', "character 4"),
        ('id == "a" & id == "b"', "character 11"),
        ('id == "a', "character 7"),
        ("id == 'a\nb'", "character 7"),
        ("id == `a`", "character 7"),
        ("id == 01x", "character 7"),
        ("{}", "character 1"),
        ("😀 == 1", "character 1"),
        ('id == "\\q"', r"\\q is not possible"),
        ('id == "\\ud800"', "surrogate"),
        ('__import__("os")', "'__import__', which is not possible"),
        ('id.constructor("x")', "'constructor', which is not possible"),
        ('"a".__class__("x")', "'__class__', which is not possible"),
        ('id.startswith("x")', "'startswith'"),
        ('resource.__class__ == "x"', "no attribute"),
        ('env.nonsense == "x"', "no attribute"),
        ('resource.tag.env == "x"', "no attribute"),
        ('tags.env == "x"', "no attribute"),
        ('env.day_of_week == "Sunday"', 'a number, with "Sunday", a text'),
        ("id == 5", "a text, with 5, a number"),
        ('principal.roles == "operator"', "compares a list"),
        ('env.day_of_week.startsWith("0")', "is a number, which has no startsWith"),
        ('principal.roles.startsWith("x")', "is a list, which has no startsWith"),
        ("id.includes(5)", "takes a text"),
        ("id.includes(principal.roles)", "takes a text"),
        ("/a/.test(5)", "takes a text"),
        ("/a/.exec(id)", "has no 'exec'"),
        ("/a/g.test(id)", "flags"),
        (r"/(a)\1/.test(id)", r"\\1 is not possible"),
        ("/(a/.test(id)", "regular expression ends too early"),
        ("/a{999}/.test(id)", "more than 256 places"),
        ("/a{200}/.test(id) && !/b{200}/.test(id)", "have 402 places together"),
    ],
)
def test_a_rule_that_means_nothing_is_refused_with_what_is_wrong(rule: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        rules.compiled(rule)


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        ('env.time_of_dya > "1"', "Did you mean env.time_of_day?"),
        ('resource.tag == "x"', "Did you mean resource.tags?"),
        ('id.startswith("x")', "Did you mean startsWith?"),
        ('qqqqq == "x"', "There are: id, "),
        ('env.day_of_week == "0"', "Numbers are written without quotes"),
    ],
)
def test_the_hint_says_what_was_meant(rule: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        rules.compiled(rule)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    "rule",
    [
        'id == "' + "a" * (100 << 10) + '"',
        "(" * (100 << 10),
        "!" * (100 << 10),
        "a." * (50 << 10),
        "/" + "(a+)+" * (20 << 10) + "/.test(id)",
    ],
    ids=["text", "parentheses", "negations", "path", "expression"],
)
def test_a_rule_of_100_kib_is_refused_unread(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_text: str) -> None:
        raise AssertionError("it was read")

    monkeypatch.setattr(rules, "_parse", read)
    with pytest.raises(InputError, match="at most 4096"):
        rules.compiled(rule)


@pytest.mark.parametrize(
    "rule", ["(" * 4000, "!" * 4000 + "x", "!(" * 1300 + 'id == "a"' + ")" * 1300, "a[" * 2000]
)
def test_what_is_nested_too_deep_is_refused_and_breaks_nothing(rule: str) -> None:
    with pytest.raises(InputError):
        rules.compiled(rule)


def test_many_parentheses_and_many_conditions_are_no_depth() -> None:
    assert holds("(" * 500 + 'id == "inst-1"' + ")" * 500)
    assert holds(" && ".join(['id == "inst-1"'] * 200))
    assert holds("!" * 30 + '(id == "inst-1")')


@given(st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from([
        "id", "env", ".", "door", "(", ")", "!", "&&", "||", "==", "<", '"a"', "'b'", "5", "/a/",
        "test", "startsWith", "includes", "[", "]", " ", "resource", "tags", "\\", "\n", "=",
    ]), max_size=14).map("".join),
))  # fmt: skip
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    try:
        rule = rules.compiled(text)
    except InputError:
        assert rules.stored(text).holds(ANN, WEB, OFFICE) in (True, False, None)
        return
    assert rule.holds(ANN, WEB, OFFICE) in (True, False, None)


# What another version wrote


def test_what_only_another_version_knows_is_unknown_in_a_stored_rule() -> None:
    assert rules.stored('env.weather == "rain"').holds(ANN, WEB, OFFICE) is None
    assert rules.stored('!(env.weather == "rain")').holds(ANN, WEB, OFFICE) is None
    assert rules.stored('env.weather == "rain" && id == "x"').holds(ANN, WEB, OFFICE) is False
    assert rules.stored("env.weather ~= 5 ?? true").holds(ANN, WEB, OFFICE) is None
    assert rules.stored('env.weather.startsWith("r")').strange == ("env.weather",)


def test_a_rule_tells_what_it_looks_at_and_what_of_that_is_not_known() -> None:
    rule = rules.compiled('env.door == "api" && resource.tags.x == id || /a/.test(principal.name)')
    assert set(rule.attributes) == {"env.door", "resource.tags.x", "id", "principal.name"}
    assert rule.unknown(ANN, WEB, OFFICE) == ("resource.tags.x",)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_every_attribute_is_documented_and_has_a_value_where_all_is_known(name: str) -> None:
    attribute = ATTRIBUTES[name]
    assert attribute.doc.endswith(".")
    assert attribute.get(ANN, WEB, OFFICE) is not None
