# SPDX-License-Identifier: Apache-2.0
"""Who may do what: policies, the language of their rules, and decisions. All of it is pure.

- ``actions``: every action that there is, made from the table of kinds.
- ``statements``: policies and their statements, from JSON and back.
- ``rules``: the expression language; ``grammar`` reads it, ``attributes`` is what it knows,
  ``regex`` its regular expressions, in linear time.
- ``index``: statements, found by action and resource.
- ``decisions``: ``may(rights, action, resource, environment)``.
- ``audit``: chains of audit rows, and what was done to one.
- ``predefined``: the policies that an organization has from the beginning.

What is here imports from ``pextra.model`` alone. The kinds' specifications are handed in, so the
engine and the kinds themselves can import it. lark, which reads the grammars, is loaded with the
first rule: who has no rules does not wait for it.
"""
