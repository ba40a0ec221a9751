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

from pextra_installer import check, plan, redaction, secrets
from pextra_installer.answers import files, schema
from pextra_installer.answers.toml_document import parse_toml
from pextra_installer.answers.yaml_document import parse_yaml
from pextra_installer.problems import AnswersError, path_text

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


@pytest.mark.parametrize(
    "text", ["a: &a [*a]\n", "a: !!python/object:os.system {}\n", "? [1, 2]\n: 3\n", "--- \n---\n"]
)
def test_yaml_that_is_more_than_data_is_refused(text: str) -> None:
    with pytest.raises(AnswersError):
        files.parse(text.encode(), files.Format.YAML, "answers")
