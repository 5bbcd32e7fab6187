"""The profile ``--as-slow-as-google``: the switches that make it as slow and as strict."""

from __future__ import annotations

from typing import Any

GRANT_SECONDS = 120.0
"""Seconds until grants have an effect.

Typically 2 minutes, and up to 7 or more; source:
https://docs.cloud.google.com/iam/docs/access-change-propagation, December 2026.
"""

RATES = {
    "logging.googleapis.com/read_requests": 60,
    "run.googleapis.com/read_requests": 3000,
    "run.googleapis.com/write_requests": 180,
}
"""Calls a minute.

Sources: https://docs.cloud.google.com/logging/quotas (can't be raised) and
https://docs.cloud.google.com/run/quotas, December 2026.
"""

QUOTA_PROJECT_APIS = ["cloudquotas.googleapis.com"]
"""APIs that refuse persons who name no quota project.

Seen in hashicorp/terraform-provider-google#18337; which others do is not known.
"""

AT_ONCE: dict[str, Any] = {
    "grant_seconds": 0,
    "account_seconds": 0,
    "quota_project_apis": [],
    "rates": {},
    "enforce_ingress": False,
}
"""The same switches without the profile."""


def as_slow_as_google(grant_seconds: float = GRANT_SECONDS) -> dict[str, Any]:
    """Return the switches of the profile.

    Parameters
    ----------
    grant_seconds
        Seconds until grants have an effect; a new account is known after a sixth of that.

    """
    return {
        "grant_seconds": grant_seconds,
        "account_seconds": grant_seconds / 6,
        "quota_project_apis": QUOTA_PROJECT_APIS,
        "rates": RATES,
        "enforce_ingress": True,
    }
