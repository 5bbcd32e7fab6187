"""A start of the local cloud imports three clients of Compute Engine; others still get them all."""

from __future__ import annotations

import subprocess
import sys

_LOOK = """
import sys
from local_cloud import cloud
from local_cloud.google import compute_parts
assert "google.cloud.compute_v1.services.instances" not in sys.modules
from google.cloud import compute_v1
assert compute_v1.InstancesClient.get
assert compute_v1.NetworksClient is compute_parts.NetworksClient
assert compute_v1.Network is compute_parts.messages.Network
assert not hasattr(compute_v1, "Nothing")
"""


def test_the_others_are_imported_when_somebody_asks_for_them() -> None:
    subprocess.run([sys.executable, "-c", _LOOK], check=True)
