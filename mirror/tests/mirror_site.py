"""A site without internet, which serves what bundles bring."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

from mirror_bed import PYTHON, Done


@dataclasses.dataclass
class Site:
    """A site without internet."""

    folder: Path
    importer: Path
    key: Path

    @property
    def tree(self) -> Path:
        """What it serves."""
        return self.folder / "site"

    def call(self, *words: str | Path) -> Done:
        """Run the importer, whatever comes of it."""
        argv = [PYTHON, "-I", self.importer, "--json", "--tree", self.tree, *words]
        done = subprocess.run(
            [str(word) for word in argv], capture_output=True, text=True, check=False,
            env={"PATH": "/usr/bin", "LC_ALL": "C.UTF-8"}, cwd=self.folder,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def take(self, bundle: str | Path) -> Done:
        """Import a bundle."""
        return self.call("import", bundle, "--keyring", self.key)
