# SPDX-License-Identifier: Apache-2.0
"""Patterns with wildcards and regular expressions: what matches, and that nothing explodes."""

from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.access import regex
from pextra.access.patterns import Pattern
from pextra.access.regex import Regex
from pextra.model.errors import InputError

# Wildcards


@given(st.text("ab.*", max_size=8), st.text("ab.", max_size=10))
def test_a_wildcard_is_any_text(pattern: str, name: str) -> None:
    assert Pattern(pattern).matches(name) == fnmatch.fnmatchcase(name, pattern)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [("*a*a*", "a", False), ("*a*a*", "aa", True), ("a*a", "a", False), ("*ab*b", "ab", False)],
)
def test_a_part_of_a_name_counts_once(pattern: str, name: str, matches: bool) -> None:
    assert Pattern(pattern).matches(name) is matches


@given(st.text("ab*?[]\\+", max_size=8))
def test_nothing_but_the_wildcard_is_special(text: str) -> None:
    plain = text.replace("*", "")
    assert Pattern(plain).matches(plain)
    assert Pattern(plain).literal
    assert not Pattern(plain).matches(f"{plain}a")


def test_a_pattern_of_many_wildcards_is_tried_once_at_each_place() -> None:
    """A translation into Python's regular expressions would try for longer than anyone lives."""
    assert not Pattern("*a" * 60 + "*b").matches("a" * 10_000)
    assert Pattern("*a" * 60 + "*b").matches("a" * 10_000 + "b")


# Regular expressions


def expressions() -> st.SearchStrategy[str]:
    """Expressions that Python and JavaScript read in the same way."""
    atoms = st.sampled_from(["a", "b", "-", ".", "[ab]", "[^a]", "[a-c-]", r"\d", r"\W", r"\-"])
    marks = st.sampled_from(["^", "$", r"\b", r"\B"])

    def more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        grouped = inner.map("({})".format)
        counts = st.sampled_from(["*", "+", "?", "{2}", "{0}", "{1,}", "{0,2}", "*?", "+?", "??"])
        repeated = st.tuples(st.one_of(atoms, grouped), counts).map("".join)
        return st.one_of(
            repeated,
            st.lists(st.one_of(repeated, inner, marks), max_size=3).map("".join),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        )

    return st.recursive(atoms, more, max_leaves=8)


def pythons(expression: str, flags: int = 0) -> re.Pattern[str]:
    """The same in Python, whose ``$`` is before a last line end too, and ``\\B`` not in no text."""
    translated = expression.replace("$", r"\Z").replace(r"\B", r"(?!\b)")
    return re.compile(translated, re.ASCII | flags)


@given(expressions(), st.text("abc-1", max_size=8))
def test_an_expression_is_found_where_python_finds_it(expression: str, text: str) -> None:
    assert Regex(expression).test(text) == bool(pythons(expression).search(text))


@given(expressions(), st.text("aBbCä1", max_size=6))
def test_case_can_be_ignored(expression: str, text: str) -> None:
    found = pythons(expression, re.IGNORECASE).search(text)
    assert Regex(expression, ignore_case=True).test(text) == bool(found)


@pytest.mark.parametrize(
    ("expression", "text", "found"),
    [
        (r"^web-\d+$", "web-12", True),
        (r"^web-\d+$", "web-12\n", False),
        (r"a.c", "a\nc", False),
        (r"[\s\S]", "\n", True),
        (r"^[^]$", "\n", True),
        (r"[]", "a", False),
        (r"\/\.\*\{", "/.*{", True),
        (r"^\u00e4\x41$", "äA", True),
        (r"[\b]", "\b", True),
        (r"\d", "٣", False),
        (r"\w", "ä", False),
        (r"\s", "\u00a0", True),
        (r"", "", True),
        (r"a|", "", True),
        (r"[\]]", "]", True),
        (r"[a\-z]", "-", True),
        (r"[-z]", "-", True),
        (r"^(a|b)*$", "abba", True),
        (r"(^|,)x(,|$)", "a,x", True),
        (r"\ba", "-a", True),
        (r"\ba", "ba", False),
        (r"\Ba", "ba", True),
        (r"^a|b", "cb", True),
    ],
)
def test_an_expression_means_what_it_means_in_javascript(
    expression: str, text: str, found: bool
) -> None:
    assert Regex(expression).test(text) is found


EXPLODING = [
    (r"(a+)+$", "a" * 250 + "b"),
    (r"^(a|aa)+$", "a" * 250 + "b"),
    (r"^(a|a)*$", "a" * 250 + "b"),
    (r"((a*)*)*b", "a" * 250),
    (r"(x+x+)+y", "x" * 250),
    (r"(.*)*=.*", "x" * 250),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 250),
    (r"^([a-zA-Z0-9_.-])+@(([a-zA-Z0-9-])+\.)+([a-zA-Z0-9]{2,4})+$", "a@" + "a." * 120 + "!"),
    (r"(.*a){40}b", "a" * 250),
    (r"(a?){60}a{60}b", "a" * 120),
    (r"(((((a{2}){2}){2}){2}){2}){2}c|b{64}c", "ab" * 125),
]


@pytest.mark.parametrize(("expression", "text"), EXPLODING)
def test_an_expression_that_explodes_elsewhere_looks_at_each_character_once(
    expression: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    step = Regex._step
    monkeypatch.setattr(Regex, "_step", lambda *given: steps.append(1) or step(*given))
    assert Regex(expression).test(text) is False
    assert len(steps) <= len(text) + 1


@pytest.mark.parametrize(
    "expression",
    ["a{256}", "(a{30}){30}", "(((a{9}){9}){9}){9}", "(){9999}", "((^{99}){99}){99}", "a" * 600],
)
def test_an_expression_of_too_many_places_is_refused_before_it_is_built(expression: str) -> None:
    with pytest.raises(InputError, match="more than 256 places"):
        Regex(expression)


def test_groups_that_are_too_deep_are_refused() -> None:
    assert Regex("(" * 32 + "a" + ")" * 32).test("a")
    with pytest.raises(InputError, match="deep"):
        Regex("(" * 33 + "a" + ")" * 33)
    with pytest.raises(InputError):
        Regex("(" * 4000)


@pytest.mark.parametrize(
    "expression",
    [
        r"(a)\1", r"(?=a)", r"(?!a)", r"(?<=a)", r"(?<n>a)", r"\p{L}", r"\k<n>", "a**", "*a",
        "(a", "a)", "[a", "a{2,1}", "[b-a]", "\\", r"\u12", "{2}", "a{", "(?i)a", "a++", r"\Aa",
    ],
)  # fmt: skip
def test_what_an_automaton_cannot_decide_or_nobody_can_read_is_refused(expression: str) -> None:
    with pytest.raises(InputError):
        Regex(expression)


@given(st.text("ab()[]{}|*+?\\^$.,-:=!<>1du\n é", max_size=20))
def test_any_text_is_an_expression_or_refused(expression: str) -> None:
    try:
        found = Regex(expression).test("ab-1\né")
    except InputError:
        return
    assert found in (True, False)


def test_a_text_that_is_too_long_is_not_looked_at() -> None:
    assert Regex("a").test("a" * regex.LONGEST) is True
    assert Regex("a").test("a" * (regex.LONGEST + 1)) is None


def test_what_is_remembered_has_a_bound() -> None:
    expression = Regex("(a|b)*x[^q]{40}")
    for number in range(5000):
        expression.test(f"{number:b}xab{chr(0x4E00 + number)}".replace("0", "a"))
    assert len(expression._steps) <= 1024
    assert len(expression._readers) <= 1024


@pytest.mark.parametrize(
    ("literal", "text", "found"),
    [("/^A/i", "ab", True), ("/^A/", "ab", False), (r"/\//", "/", True)],
)
def test_a_literal_is_an_expression_between_slashes(literal: str, text: str, found: bool) -> None:
    assert regex.compiled(literal).test(text) is found


@pytest.mark.parametrize("flags", ["g", "m", "s", "u", "y", "ii", "ig"])
def test_flags_besides_i_are_refused(flags: str) -> None:
    with pytest.raises(InputError, match="flags"):
        regex.compiled(f"/a/{flags}")
