# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written out in a task comes to the same as where Ansible itself fills it in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.plugins.action import ActionBase
from ansible.template import Templar, trust_as_template
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.pextra.ce.plugins.action.apply import ActionModule
from ansible_collections.pextra.ce.plugins.plugin_utils.literals import NotLiteral, literal

if not hasattr(ActionBase, "finalize_task_arg"):
    pytest.skip("this ansible-core asks no action", allow_module_level=True)

_SECRET = [("default", VaultSecret(b"password"))]
LOADER = DataLoader()
LOADER.set_vault_secrets(_SECRET)
TEMPLAR = Templar(LOADER, variables={"word": "filled in", "many": [{"a": 1}, {"a": 2}]})

texts = st.text(max_size=8) | st.sampled_from(
    ["{{ word }}", "a {{ word }}", "{{ many }}", "{% if true %}x{% endif %}", "{# x #}", "{", "}}",
     "#jinja2: variable_start_string:'[%', variable_end_string:'%]'\n[% word %]"]
)  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def written(text: str) -> Any:
    """A value as it is in a playbook."""
    return LOADER.load(trust_as_template(text), file_name="/playbook.yml")


def types(value: Any) -> set[type]:
    """The types of a value and of all that is in it."""
    inner = [*value, *value.values()] if isinstance(value, dict) else value
    parts = inner if isinstance(value, (dict, list)) else ()
    return {type(value)}.union(*(types(item) for item in parts))


def filled(action: type[ActionBase], value: Any) -> Any:
    """What an action gets, or the error that the task fails with."""
    try:
        return json.dumps(action.finalize_task_arg("resources", value, TEMPLAR, None), default=str)
    except Exception as error:
        return type(error)


@given(values)
def test_an_option_is_filled_in_as_by_ansible(value: Any) -> None:
    option = written(json.dumps([value]))
    assert filled(ActionModule, option) == filled(ActionBase, option)


def test_what_is_left_out_is_left_out() -> None:
    option = written('[{"a": "{{ omit }}", "b": 1}]')
    assert filled(ActionModule, option) == filled(ActionBase, option)


def test_what_is_written_out_comes_as_json_has_it() -> None:
    option = written('[{"name": "vm", "memory": 64, "volumes": [{"size": "1GiB"}], "cdrom": null}]')
    assert {type(option), type(option[0]["name"])}.isdisjoint({list, str})
    found = ActionModule.finalize_task_arg("resources", option, TEMPLAR, None)
    assert types(found) == {list, dict, str, int, type(None)}
    assert found == option


def test_vaults_are_left_to_ansible() -> None:
    vault = VaultLib(_SECRET).encrypt("secret").decode()
    body = "\n".join(f"    {line}" for line in vault.splitlines())
    option = written(f"- password: !vault |\n{body}\n")
    with pytest.raises(NotLiteral):
        literal(option)
    assert filled(ActionModule, option) == filled(ActionBase, option)


@pytest.mark.parametrize("value", [object(), {"a", "b"}, ("a",), {1: "a"}, {"{{ word }}": 1}, b"a"])
def test_anything_else_is_left_to_ansible(value: object) -> None:
    with pytest.raises(NotLiteral):
        literal(value)
