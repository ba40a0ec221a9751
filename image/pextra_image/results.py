# SPDX-License-Identifier: Apache-2.0
"""What lies beside an ISO: checksum, signatures, bill of materials, manifest of the build."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pextra_image.files import sha256_of
from pextra_image.iso import NAMESPACE, Medium
from pextra_image.run import Programs
from pextra_image.signing import Key


@dataclass(frozen=True, slots=True)
class Installed:
    """A package as dpkg of the root file system lists it."""

    name: str
    version: str
    architecture: str
    source: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What went into a build.

    :ivar inputs: the keys of the steps: equal inputs give an equal ISO.
    """

    product: str
    uuid: str
    architecture: str
    source_date_epoch: int
    sha256: str
    size: int
    signed_by: str
    development_key: bool
    inputs: dict[str, str]


def installed(status: str) -> list[Installed]:
    """Read dpkg's status file: the installed packages, by name."""
    found = []
    for stanza in status.strip().split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", stanza, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            source = (fields.get("Source") or fields["Package"]).split(" ")[0]
            found.append(
                Installed(fields["Package"], fields["Version"], fields["Architecture"], source)
            )
    return sorted(found, key=lambda package: package.name)


def bill_of_materials(medium: Medium, packages: list[Installed], hashes: dict[str, str]) -> str:
    """Compose a CycloneDX bill of materials (JSON) with every package.

    :param hashes: the name of a package to the SHA256 (hex) of its .deb file.
    """
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    product, version = medium.product.rsplit(" ", 1)
    bom = Bom(serial_number=uuid.uuid5(NAMESPACE, f"bill of materials {medium.uuid}"))
    bom.metadata.timestamp = datetime.fromtimestamp(medium.epoch, UTC)
    bom.metadata.component = Component(
        type=ComponentType.OPERATING_SYSTEM, name=product, version=version, bom_ref=medium.uuid
    )
    for package in packages:
        own = package.source == "pextra-ce"
        url = PackageURL(
            "deb", "pextra-ce" if own else "debian", package.name, package.version,
            {"arch": package.architecture, "distro": "bookworm"},
        )  # fmt: skip
        digest = hashes.get(package.name)
        bom.components.add(
            Component(
                type=ComponentType.LIBRARY,
                name=package.name,
                version=package.version,
                purl=url,
                bom_ref=str(url),
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)] if digest else [],
            )
        )
    bom.register_dependency(bom.metadata.component, bom.components)
    return f"{JsonV1Dot6(bom).output_as_string(indent=1)}\n"


def write(
    programs: Programs, iso: Path, medium: Medium, inputs: dict[str, str], bom: str, key: Key
) -> list[Path]:
    """Write the files beside an ISO; returns them.

    :param inputs: the keys of the steps that it was made by.
    :param bom: its bill of materials.
    """
    beside = [Path(f"{iso}{ending}") for ending in
              (".sha256", ".sha256.asc", ".asc", ".cdx.json", ".manifest.json")]  # fmt: skip
    checksum, checksum_signature, signature, bom_path, manifest_path = beside
    manifest = Manifest(
        product=medium.product,
        uuid=medium.uuid,
        architecture=medium.architecture.name,
        source_date_epoch=medium.epoch,
        sha256=sha256_of(iso),
        size=iso.stat().st_size,
        signed_by=key.fingerprint,
        development_key=key.development,
        inputs=inputs,
    )
    checksum.write_text(f"{manifest.sha256}  {iso.name}\n", encoding="utf-8")
    key.sign(programs, checksum, checksum_signature)
    key.sign(programs, iso, signature)
    bom_path.write_text(bom, encoding="utf-8")
    manifest_path.write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
    public = iso.with_name("pextra-gpg-key.asc")
    key.export(programs, public)
    return [*beside, public]
