"""gcloud, the shim for its older APIs, and a local cloud behind both."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from tests.contract.gcloud.command import Gcloud
from tests.contract.gcloud.shim import Shim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.local.cloud import LocalCloud

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@pytest.fixture(scope="session")
def gcloud(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gcloud]:
    program = shutil.which("gcloud")
    if program is None:
        pytest.skip("gcloud is not installed: https://cloud.google.com/sdk/docs/install")
    credentials = service_account.Credentials.from_service_account_file(
        cloud.credentials, scopes=[SCOPE]
    )
    credentials.refresh(Request())
    shim = Shim(cloud.url)
    shim.start()
    folder = tmp_path_factory.mktemp("gcloud")
    yield Gcloud(program, folder, credentials.token, cloud.url, shim.url)
    shim.stop()


@pytest.fixture(autouse=True)
def _no_faults_are_left(cloud: LocalCloud) -> Iterator[None]:
    yield
    cloud.faults.reset()
