"""The installer: from answers, by hand or from a file, to an installed node.

One typed plan (``plan``) has three front doors: the wizard, an answer file, a dry run. Only what
``execute`` starts ever writes to a disk.
"""

__version__ = "0.2.0"
