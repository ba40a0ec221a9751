# SPDX-License-Identifier: Apache-2.0
"""Audit rows as a chain: canonical JSON, sealing, and everything that can be done to a chain."""

from __future__ import annotations

import copy
import datetime as dt
import json
import math
import struct
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pextra.access.audit.canonical import canonical
from pextra.access.audit.chain import START, Head, digest, entry, sealed
from pextra.access.audit.check import Finding, Mark, Tampering, check_chain
from pextra.model.values import Document

BEGAN = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
CHAIN = "c" * 32


def row(number: int, **more: Any) -> dict[str, Any]:
    """A row of the store that is not sealed."""
    return {
        "id": uuid.UUID(int=number + 1), "at": BEGAN + dt.timedelta(microseconds=number),
        "actor": "anna", "origin": "node1", "door": "cli", "organization_id": None,
        "request_id": f"req-{number}", "correlation_id": f"req-{number}", "kind": "volume",
        "resource_id": f"vol-{number}", "name": f"data{number}", "action": "create",
        "outcome": "succeeded", "message": None, "before": None, "after": {"size": number},
        "chain": CHAIN, "step": 0, "sequence": None, "previous": None, "hash": None, **more,
    }  # fmt: skip


def made(count: int, start: Head = START) -> list[Document]:
    """A sealed chain, as it is read."""
    rows = [row(number) for number in range(count)]
    found = []
    for one, seal in zip(rows, sealed(rows, start), strict=True):
        told = {"sequence": seal.sequence, "previous": seal.previous, "hash": seal.hash}
        found.append(entry({**one, **told}))
    return found


def end(rows: list[Document]) -> Head:
    """The end of a chain."""
    return Head(int(str(rows[-1]["sequence"])), str(rows[-1]["hash"]))


def check(
    rows: list[Document], head: Head | None, *marks: Head, start: Head = START
) -> list[Finding]:
    """What is found of a chain."""
    ordered = sorted(rows, key=lambda item: int(str(item["sequence"])))
    seen = [Mark(item, "node1") for item in marks]
    return check_chain(CHAIN, start, iter(ordered), head, seen)[1]


def told(found: list[Finding]) -> set[tuple[str, int | None, int | None]]:
    """What was found, and where."""
    return {(item.what.value, item.first, item.last) for item in found}


def resealed(rows: list[Document], first: int) -> None:
    """Seal rows again from an index on, as somebody does who knows how."""
    for index in range(first, len(rows)):
        before = rows[index - 1] if index else {"sequence": 0, "hash": START.hash}
        sequence, previous = int(str(before["sequence"])) + 1, str(before["hash"])
        hash = digest(rows[index], sequence, previous)
        rows[index] |= {"sequence": sequence, "previous": previous, "hash": hash}


# Canonical JSON

DOUBLES = {
    # RFC 8785, appendix B
    "0000000000000000": "0", "8000000000000000": "0", "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324", "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308", "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992", "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22", "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23", "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000", "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7", "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332", "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333", "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343", "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}  # fmt: skip


@pytest.mark.parametrize(("bits", "text"), DOUBLES.items())
def test_numbers_are_written_as_rfc_8785_has_them(bits: str, text: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(value).decode() == text


def test_the_example_of_rfc_8785_is_written_as_it_says() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    assert canonical(value).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_names_are_sorted_by_their_utf_16_code_units() -> None:
    names = ["€", "\r", "\ufb33", "1", "😀", "\u0080", "ö"]
    found = list(json.loads(canonical(dict.fromkeys(names, 0))))
    assert found == ["\r", "1", "\u0080", "ö", "€", "😀", "\ufb33"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "\ud800", {"\udfff": 1}])
def test_what_json_has_not_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"JSON has no|surrogates"):
        canonical(value)


@pytest.mark.parametrize("value", [b"", {1: 2}, {1, 2}, object()])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), 1 << 63) | st.text(max_size=8)
    | st.floats(-(2.0**53), 2.0**53),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_canonical_json_means_the_same_and_is_the_same_again(value: Any) -> None:
    text = canonical(value)
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


@given(st.dictionaries(st.text(max_size=4), st.integers(), min_size=2))
def test_the_order_of_names_makes_no_difference(value: dict[str, int]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


# Sealing


def test_rows_are_sealed_in_the_order_in_which_they_were_written() -> None:
    rows = [row(number, step=number % 3, at=BEGAN) for number in range(9)]
    seals = sealed(reversed(rows), START)
    assert [item.id for item in seals] == [str(item["id"]) for item in rows]
    assert [item.sequence for item in seals] == list(range(1, 10))
    assert [item.previous for item in seals[1:]] == [item.hash for item in seals[:-1]]
    assert seals[0].previous == "0" * 64


def test_what_is_exported_is_what_is_hashed() -> None:
    (exported,) = made(1)
    again = json.loads(json.dumps(exported))
    assert digest(again, 1, START.hash) == exported["hash"]
    assert exported["at"] == "2026-01-31T12:00:00.000000Z"


def test_a_number_that_a_database_writes_otherwise_has_the_same_hash() -> None:
    one, other = row(1, after={"load": 1.0}), row(1, after={"load": 1})
    assert digest(entry(one), 1, START.hash) == digest(entry(other), 1, START.hash)


# Checking

SIZES = st.integers(1, 40)


@given(SIZES, st.integers(0, 5), st.data())
def test_nothing_is_found_of_a_chain_that_nobody_touched(
    size: int, pruned: int, data: st.DataObject
) -> None:
    rows = made(size)
    marks = [
        Head(int(str(rows[at]["sequence"])), str(rows[at]["hash"]))
        for at in data.draw(st.lists(st.integers(0, size - 1), max_size=3))
    ]
    assert check(rows, end(rows), *marks) == []
    cut = min(pruned, size - 1)
    start = Head(cut, str(rows[cut - 1]["hash"])) if cut else START
    marks = [item for item in marks if item.sequence > cut]
    assert check(rows[cut:], end(rows), *marks, start=start) == []
    assert check([], start, start=start) == []


CONTENT = sorted(made(1)[0].keys() - {"sequence", "previous", "hash"})


@given(SIZES, st.data())
def test_a_changed_row_is_found(size: int, data: st.DataObject) -> None:
    rows = made(size)
    at, name = data.draw(st.integers(0, size - 1)), data.draw(st.sampled_from(CONTENT))
    before = rows[at][name]
    rows[at][name] = data.draw(
        st.text(max_size=4).filter(lambda text: text != before) | st.just({"size": -1})
    )
    assert ("changed", at + 1, at + 1) in told(check(rows, end(rows)))
    assert {item.what for item in check(rows, end(rows))} == {Tampering.CHANGED}


@given(st.integers(2, 40), st.data())
def test_a_changed_row_that_is_sealed_again_is_found(size: int, data: st.DataObject) -> None:
    rows = made(size)
    head, at = end(rows), data.draw(st.integers(0, size - 2))
    rows[at]["user"] = "mallory"
    resealed(rows[: at + 1], at)
    assert told(check(rows, head)) == {("changed", at + 1, at + 1)}


@given(SIZES, st.data())
def test_a_chain_that_is_sealed_again_is_found_by_who_saw_it(
    size: int, data: st.DataObject
) -> None:
    rows = made(size)
    saw, at = end(rows), data.draw(st.integers(0, size - 1))
    rows[at]["user"] = "mallory"
    resealed(rows, at)
    assert check(rows, end(rows)) == []
    assert ("rewritten", size, size) in told(check(rows, end(rows), saw))


@given(st.integers(3, 40), st.data())
def test_removed_rows_are_found(size: int, data: st.DataObject) -> None:
    rows = made(size)
    head, first = end(rows), data.draw(st.integers(1, size - 1))
    last = data.draw(st.integers(first, size - 1))
    left = [*rows[: first - 1], *rows[last:]]
    assert told(check(left, head)) == {("removed", first, last)}


@given(st.integers(3, 40), st.data())
def test_a_removed_row_is_found_where_the_rest_is_numbered_anew(
    size: int, data: st.DataObject
) -> None:
    rows = made(size)
    at = data.draw(st.integers(1, size - 1))
    left = [*rows[: at - 1], *({**item, "sequence": int(str(item["sequence"])) - 1}
                               for item in rows[at:])]  # fmt: skip
    found = check(left, end(left))
    assert ("removed", at, at) in told(found)
    assert {item.what for item in found} <= {Tampering.REMOVED, Tampering.MOVED}


@given(SIZES, st.data())
def test_a_cut_tail_is_found_by_the_record_and_by_who_saw_it(
    size: int, data: st.DataObject
) -> None:
    rows = made(size)
    saw, kept = end(rows), data.draw(st.integers(0, size - 1))
    left = rows[:kept]
    assert told(check(left, saw)) == {("cut", kept + 1, size)}
    forged = end(left) if left else Head(0, START.hash)
    assert told(check(left, forged, saw)) == {("cut", kept + 1, size)}
    assert check(left, forged) == []


@given(st.integers(2, 40), st.data())
def test_an_inserted_row_is_found(size: int, data: st.DataObject) -> None:
    rows = made(size)
    at = data.draw(st.integers(1, size))
    before = rows[at - 2]["hash"] if at > 1 else START.hash
    fresh = entry({**row(99), "sequence": at, "previous": before, "hash": ""})
    fresh["hash"] = digest(fresh, at, str(before))
    after = [{**item, "sequence": int(str(item["sequence"])) + 1} for item in rows[at - 1 :]]
    changed = [*rows[: at - 1], fresh, *after]
    found = check(changed, end(changed))
    assert ("inserted", at, at) in told(found)
    assert {item.what for item in found} <= {Tampering.INSERTED, Tampering.MOVED}


@given(SIZES)
def test_a_row_that_is_put_at_the_end_is_found_by_the_record(size: int) -> None:
    rows = made(size)
    head = end(rows)
    rows.append(entry({**row(99), "sequence": 0, "previous": "", "hash": ""}))
    resealed(rows, size)
    assert told(check(rows, head)) == {("inserted", size + 1, size + 1)}


@given(st.integers(2, 40), st.booleans(), st.data())
def test_rows_that_change_places_are_found(size: int, whole: bool, data: st.DataObject) -> None:
    rows = made(size)
    head = end(rows)
    one, two = sorted(
        data.draw(st.lists(st.integers(0, size - 1), min_size=2, max_size=2, unique=True))
    )
    names = ["sequence"] if whole else CONTENT
    for name in names:
        rows[one][name], rows[two][name] = rows[two][name], rows[one][name]
    found = {number for item in check(rows, head) if item.what is Tampering.MOVED
             for number in range(item.first or 0, (item.last or 0) + 1)}  # fmt: skip
    assert {one + 1, two + 1} <= found


def test_a_record_of_the_end_that_is_gone_is_found() -> None:
    assert [item.what for item in check(made(3), None)] == [Tampering.REMOVED]


@settings(max_examples=300)
@given(st.integers(1, 12), st.data())
def test_whatever_is_done_to_a_chain_is_found_by_who_saw_its_end(
    size: int, data: st.DataObject
) -> None:
    rows = made(size)
    saw, before = end(rows), copy.deepcopy(rows)
    for _turn in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(rows) - 1)) if rows else 0
        what = data.draw(st.sampled_from(["change", "remove", "swap", "reseal", "add"]))
        if what == "change" and rows:
            name = data.draw(st.sampled_from(sorted(rows[0])))
            rows[at][name] = data.draw(st.text(max_size=3)) if name != "sequence" else at + 2
        elif what == "remove" and rows:
            del rows[at]
        elif what == "swap" and len(rows) > 1:
            rows[at - 1]["sequence"], rows[at]["sequence"] = (
                rows[at]["sequence"], rows[at - 1]["sequence"],
            )  # fmt: skip
        elif what == "add":
            rows.insert(at, entry({**row(50 + _turn), "sequence": at + 1, "previous": "",
                                   "hash": ""}))  # fmt: skip
        elif rows:
            resealed(rows, at)
    known = sorted(rows, key=lambda item: int(str(item["sequence"])))
    forged = end(known) if known else START
    found = check(rows, forged, saw)
    further = copy.deepcopy(known)
    resealed(further, size)
    assert bool(found) == (known[:size] != before or known != further), (rows, found)
