#!/usr/bin/python3 -I
"""Boots user-mode Linux, and boots it again.

A rebooting node runs the program that its command line begins with, which is this one. Files
that the kernel had open, such as its taps, are open still and would be busy: they are closed.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.execv(os.environ["LAB_KERNEL"], sys.argv)  # noqa: S606 - the kernel
