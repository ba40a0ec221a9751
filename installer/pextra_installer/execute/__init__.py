"""The executor: the only part that changes anything. It runs the playbook pextra.ce.install."""
