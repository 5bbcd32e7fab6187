"""gcloud, and a local cloud behind it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from local_cloud.testing.gcloud import Gcloud

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_cloud.cloud import LocalCloud


@pytest.fixture(scope="session")
def gcloud(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Gcloud:
    program = shutil.which("gcloud")
    if program is None:
        pytest.skip("gcloud is not installed: https://cloud.google.com/sdk/docs/install")
    return Gcloud(program, tmp_path_factory.mktemp("gcloud"), cloud)


@pytest.fixture(autouse=True)
def _no_faults_are_left(cloud: LocalCloud) -> Iterator[None]:
    yield
    cloud.faults.reset()
