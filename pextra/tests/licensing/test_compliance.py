# SPDX-License-Identifier: Apache-2.0
"""A cluster's licensing: compliance, the edition and the features in force."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.licensing.compliance import ClusterStatus, compliance
from pextra.licensing.token import Edition, License

NOW = dt.datetime(2030, 1, 15, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
ALL_FEATURES = ["IAM_ABAC_RULES", "MULTI_CLUSTER", "MULTI_DATACENTER", "MULTI_TENANCY"]


def license_of(edition: Edition, begin: int = -10, end: int = 10) -> License:
    """A licence that is valid from so many days after now to so many days after now."""
    return License(
        "lic-CIgLySkaAVeQ5kSLOodD3", "Example", edition, NOW, NOW + begin * DAY, NOW + end * DAY,
        "0" * 32,
    )  # fmt: skip


LICENSES = st.none() | st.builds(
    license_of, st.sampled_from(Edition), st.integers(-20, 5), st.integers(-5, 20)
)


def test_a_cluster_with_equal_valid_licences_complies() -> None:
    result = compliance(
        {"node-b": license_of(Edition.ENTERPRISE, end=9), "node-a": license_of(Edition.ENTERPRISE)},
        NOW,
    )
    assert result.as_dict() == {
        "cluster": {"status": "compliant", "next_expiry": "2030-01-24T00:00:00Z"},
        "nodes": {
            "node-a": {"ok": True, "expiry": "2030-01-25T00:00:00Z"},
            "node-b": {"ok": True, "expiry": "2030-01-24T00:00:00Z"},
        },
        "edition": "enterprise",
        "features": ALL_FEATURES,
        "problems": [],
    }


def test_mixed_editions_fall_back_to_the_lowest_and_do_not_comply() -> None:
    result = compliance(
        {"a": license_of(Edition.ENTERPRISE), "b": license_of(Edition.STANDARD)}, NOW
    )
    assert result.status is ClusterStatus.NONCOMPLIANT
    assert result.edition is Edition.STANDARD
    assert result.features == ()
    assert result.nodes["a"].ok
    assert result.nodes["b"].ok
    assert result.problems == ("the editions are mixed: standard, enterprise",)


@pytest.mark.parametrize(
    ("other", "problem", "expiry"),
    [
        (None, "b has no licence", None),
        (
            license_of(Edition.ENTERPRISE, end=0),
            "b has a licence that expired at 2030-01-15T00:00:00Z",
            NOW,
        ),
        (
            license_of(Edition.ENTERPRISE, begin=1),
            "b has a licence that is valid only from 2030-01-16T00:00:00Z",
            NOW + 10 * DAY,
        ),
    ],
)
def test_a_node_without_a_valid_licence_takes_the_cluster_to_community(
    other: License | None, problem: str, expiry: dt.datetime | None
) -> None:
    result = compliance({"a": license_of(Edition.ENTERPRISE), "b": other}, NOW)
    assert result.status is ClusterStatus.NONCOMPLIANT
    assert result.edition is Edition.COMMUNITY
    assert result.features == ()
    assert result.problems == (problem,)
    assert (result.nodes["b"].ok, result.nodes["b"].expiry) == (False, expiry)
    assert result.next_expiry == NOW + 10 * DAY


def test_a_cluster_without_nodes_does_not_comply() -> None:
    result = compliance({}, NOW)
    assert result.status is ClusterStatus.NONCOMPLIANT
    assert result.next_expiry is None
    assert result.edition is Edition.COMMUNITY


@given(st.dictionaries(st.text(min_size=1, max_size=5), LICENSES, max_size=6))
def test_it_complies_exactly_when_all_are_valid_and_of_one_edition(
    licenses: dict[str, License | None],
) -> None:
    result = compliance(licenses, NOW)
    valid = {
        name: item
        for name, item in licenses.items()
        if item is not None and item.not_before <= NOW < item.expires_at
    }
    editions = {item.edition for item in valid.values()}
    complies = bool(licenses) and len(valid) == len(licenses) and len(editions) == 1
    assert (result.status is ClusterStatus.COMPLIANT) == complies == (not result.problems)
    assert {name for name, node in result.nodes.items() if node.ok} == set(valid)
    assert set(result.nodes) == set(licenses)
    assert result.next_expiry == min((item.expires_at for item in valid.values()), default=None)
    assert all(result.edition.rank <= edition.rank for edition in editions)
    assert bool(result.features) == (complies and editions == {Edition.ENTERPRISE})
