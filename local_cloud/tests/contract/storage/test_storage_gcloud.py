"""Cloud Storage through ``gcloud storage``: a client that shares no code with the product's."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from google.auth.transport.requests import Request

from tests.contract.storage.conftest import credentials

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from google.cloud import storage

    from local_cloud.cloud import LocalCloud

pytestmark = [
    pytest.mark.gcloud,
    pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed"),
]


@pytest.fixture
def gcloud(cloud: LocalCloud, tmp_path: Path) -> Callable[..., bytes]:
    """Run ``gcloud storage`` with a configuration of its own; give what it prints."""
    key = credentials(cloud.credentials)
    key.refresh(Request())
    (tmp_path / "token").write_text(str(key.token))
    environment = {
        **os.environ,
        "CLOUDSDK_CONFIG": str(tmp_path / "config"),
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(tmp_path / "token"),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{cloud.url}/",
        "CLOUDSDK_CORE_PROJECT": "local-project",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
        "CLOUDSDK_STORAGE_CHECK_HASHES": "always",
        # Smaller than gcloud's own limits, so that small files go the ways of large ones.
        "CLOUDSDK_STORAGE_RESUMABLE_THRESHOLD": "1M",
        "CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_ENABLED": "1",
        "CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_THRESHOLD": "8M",
        "CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_COMPONENT_SIZE": "4M",
    }

    def run(*arguments: str) -> bytes:
        done = subprocess.run(
            ["gcloud", "storage", *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run


@pytest.mark.slow
def test_gcloud_copies_moves_and_removes(
    gcloud: Callable[..., bytes], client: storage.Client, name: str, tmp_path: Path
) -> None:
    root = f"gs://{name}"
    made = {
        "multipart": b"ends with\r",
        "resumable": random.Random(4).randbytes(3_000_001),
        "composed": random.Random(5).randbytes(10_000_001),
    }
    for file, data in made.items():
        (tmp_path / "files").mkdir(exist_ok=True)
        (tmp_path / "files" / file).write_bytes(data)
    gcloud("buckets", "create", root, "--location=europe-west1", "--uniform-bucket-level-access")
    gcloud("cp", "-r", "files", f"{root}/dir")
    bucket = client.get_bucket(name)
    assert bucket.location == "EUROPE-WEST1"
    for file, data in made.items():
        assert bucket.blob(f"dir/{file}").download_as_bytes() == data
    assert bucket.get_blob("dir/composed").component_count > 1
    assert gcloud("cat", f"{root}/dir/multipart") == made["multipart"]
    gcloud("cp", f"{root}/dir/composed", "back")
    assert (tmp_path / "back").read_bytes() == made["composed"]
    gcloud("mv", f"{root}/dir/resumable", f"{root}/moved")
    listed = gcloud("ls", "-r", f"{root}/**").decode().split()
    assert listed == [f"{root}/dir/composed", f"{root}/dir/multipart", f"{root}/moved"]
    gcloud("rm", "-r", root)
    assert not bucket.exists()


@pytest.mark.slow
def test_gcloud_reads_and_changes_buckets(
    gcloud: Callable[..., bytes], bucket: storage.Bucket
) -> None:
    root = f"gs://{bucket.name}"
    gcloud("buckets", "update", root, "--update-labels=managed-by=a-tool")
    shown = gcloud("buckets", "describe", root, "--format=value(labels.managed-by,location_type)")
    assert shown.split() == [b"a-tool", b"multi-region"]
    role = "roles/storage.objectViewer"
    member = "user:reader@example.com"
    gcloud("buckets", "add-iam-policy-binding", root, f"--member={member}", f"--role={role}")
    bindings = bucket.get_iam_policy(requested_policy_version=3).bindings
    assert {"role": role, "members": {member}} in bindings
