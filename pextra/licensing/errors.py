# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a licence key, one class and one ``code`` for each."""

from __future__ import annotations

from pextra.model.errors import PextraError


class LicenseError(PextraError):
    """A licence key cannot be used, made or judged."""

    code = "license"


class FeatureError(LicenseError):
    """The edition in force does not have what is asked for."""

    code = "license_feature"


class LicenseMalformedError(LicenseError):
    """The text is not a licence key."""

    code = "license_malformed"


class LicenseVersionError(LicenseError):
    """The key has a format that this program does not know."""

    code = "license_unsupported_version"


class LicenseUnknownSignerError(LicenseError):
    """No trusted public key belongs to the key's signer."""

    code = "license_unknown_signer"


class LicenseSignatureError(LicenseError):
    """The signature does not belong to the key's contents."""

    code = "license_bad_signature"


class LicenseSignerNotAllowedError(LicenseError):
    """The signer is trusted, but not for what this key grants."""

    code = "license_signer_not_allowed"


class LicenseExpiredError(LicenseError):
    """The end of the licence's validity has passed."""

    code = "license_expired"


class LicenseNotYetValidError(LicenseError):
    """The beginning of the licence's validity lies ahead."""

    code = "license_not_yet_valid"


class EvaluationUsedError(LicenseError):
    """This node has had its evaluation."""

    code = "license_evaluation_used"


class SigningKeyError(LicenseError):
    """A private or public key file cannot be used."""

    code = "license_signing_key"


class TrustStoreError(LicenseError):
    """The directory of trusted public keys cannot be used."""

    code = "license_trust_store"
