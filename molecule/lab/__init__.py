"""Nodes to test on: Debian machines as user-mode Linux processes, in networks of their own."""
