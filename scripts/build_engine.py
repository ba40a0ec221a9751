"""Build the Debian package python3-pextra of this tree: in a second, without network and debhelper.

`make packages` builds it too, with all others; the contents are the same. The package and its
version go where the collection carries them, so that the role pextra.ce.platform finds them. So
does the mirror's program, for the role pextra.ce.mirror.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ("pextra", "debian")
ROLES = ROOT / "ansible_collections/pextra/ce/roles"
CARRIED = ROLES / "platform/files"
NAME = "python3-pextra"


def stanza() -> str:
    """The package's part of debian/control, without what debhelper would fill in."""
    source, *packages = (ROOT / "debian/control").read_text().split("\n\n")
    found = next(text for text in packages if text.startswith(f"Package: {NAME}\n"))
    found = re.sub(r",?\s*\$\{misc:Depends\}", "", found)
    maintainer = re.search("^Maintainer:.*$", source, re.MULTILINE)
    return f"{found.strip()}\n{maintainer[0] if maintainer else ''}\n"


def version() -> tuple[str, int]:
    """The version, and the moment in seconds since 1970, of the tree as it is."""
    sys.path.insert(0, str(ROOT / "image"))
    from pextra_image import tree
    from pextra_image.run import Programs

    if (ROOT / ".git").exists() and shutil.which("git"):
        found = tree.snapshot(Programs(), ROOT, PARTS)
        return found.version, found.epoch
    paths = [path.relative_to(ROOT) for part in PARTS for path in (ROOT / part).rglob("*")]
    files = tuple(sorted(path for path in paths if "__pycache__" not in path.parts))
    files = tuple(path for path in files if (ROOT / path).is_file())
    digest = tree.digest_of(ROOT, files)
    newest = max(int((ROOT / path).stat().st_mtime) for path in files)
    released = tree.released_version((ROOT / "debian/changelog").read_text())
    return f"{released}~tree{newest}.{digest[:8]}", newest


def build(target: Path, number: str, epoch: int) -> None:
    """Write the package."""
    with tempfile.TemporaryDirectory() as name:
        stage = Path(name)
        stage.chmod(0o755)
        subprocess.run(["debian/install-engine", stage], cwd=ROOT, check=True)
        size = sum(path.stat().st_size for path in stage.rglob("*") if path.is_file()) // 1024
        control = stage / "DEBIAN"
        control.mkdir()
        (control / "control").write_text(f"{stanza()}Version: {number}\nInstalled-Size: {size}\n")
        for script in ("postinst", "prerm"):
            text = (ROOT / f"debian/{NAME}.{script}").read_text().replace("#DEBHELPER#\n", "")
            (control / script).write_text(text)
            (control / script).chmod(0o755)
        copyright = stage / f"usr/share/doc/{NAME}/copyright"
        copyright.parent.mkdir(parents=True)
        shutil.copyfile(ROOT / "debian/copyright", copyright)
        part = target.with_suffix(".part")
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "--build", stage, part],
            env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
            stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        part.replace(target)


def carry_mirror() -> None:
    """Have the collection carry the mirror's program, which its role brings to a server."""
    source, target = ROOT / "mirror/pextra_mirror", ROLES / "mirror/files/pextra_mirror"
    wanted = {path.relative_to(source): path for path in source.rglob("*.py")}
    there = {path.relative_to(target) for path in target.rglob("*") if path.is_file()}
    for name in there - wanted.keys():
        (target / name).unlink()
    for name, path in wanted.items():
        copy = target / name
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def main() -> int:
    """Build it, unless it is there as this tree is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="also install it on this machine")
    arguments = parser.parse_args()
    number, epoch = version()
    package, said = CARRIED / f"{NAME}.deb", CARRIED / f"{NAME}.version"
    if not (package.exists() and said.exists() and said.read_text().strip() == number):
        CARRIED.mkdir(parents=True, exist_ok=True)
        said.unlink(missing_ok=True)
        build(package, number, epoch)
        said.write_text(f"{number}\n")
        print(f"build_engine: {NAME} {number}")
    carry_mirror()
    if arguments.install and installed() != number:
        install(package)
    return 0


def installed() -> str:
    """The version on this machine; empty where it is not installed."""
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", NAME]
    said = subprocess.run(query, capture_output=True, text=True, check=False).stdout.split()
    return said[1] if said[:1] == ["installed"] else ""


def install(package: Path) -> None:
    """Install it with what it depends on."""
    argv = ["apt-get", "-qq", "-y", "--no-install-recommends", "--allow-downgrades", "--reinstall"]
    argv += ["-o", "DPkg::Lock::Timeout=300", "-o", "APT::Sandbox::User=root"]
    done = subprocess.run(
        [*argv, "install", str(package)],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"build_engine: {package} cannot be installed:\n{done.stdout}{done.stderr}")
    print(f"build_engine: {NAME} is installed on this machine")


if __name__ == "__main__":
    sys.exit(main())
