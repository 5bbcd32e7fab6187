"""The product's own functions pointed at a whole local cloud."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from google.oauth2 import service_account

from llm_widgets.cli.local_cloud import IMAGES, product_environment
from llm_widgets.config import Settings, settings
from llm_widgets.gcp.auth.sign_in import SCOPE, default_credentials
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.project.projects import Project
from local_cloud.cloud import LocalCloud

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pytest

    from llm_widgets.page.session import Session
    from local_cloud.faults import Faults

PROJECT = "local-project"
REGION = "europe-west1"
PARENT = f"projects/{PROJECT}/locations/{REGION}"
MANAGER = "serviceAccount:manager@local-project.iam.gserviceaccount.com"


class Product:
    """A local cloud and the clients of the product."""

    def __init__(
        self,
        data: Path,
        environment: pytest.MonkeyPatch,
        images: Mapping[str, tuple[str, ...]] = IMAGES,
    ) -> None:
        self.data = data
        self.cloud = LocalCloud(data, offline=True, images=images)
        self.cloud.start()
        self.environment = product_environment(self.cloud.environment())
        for name, value in self.environment.items():
            environment.setenv(name, value)
        settings.cache_clear()  # commands read those of the process
        self.settings = Settings.from_environment()
        self.clients = Clients(self.settings, default_credentials(is_local=True))

    @property
    def faults(self) -> Faults:
        return self.cloud.faults

    def as_account(self, email: str) -> Clients:
        """Return the clients of a service account."""
        key = self.cloud.key(email)
        credentials = service_account.Credentials.from_service_account_info(
            json.loads(key.read_text()), scopes=[SCOPE]
        )
        return Clients(self.settings, credentials)


def open_project(session: Session, product: Product) -> None:
    """Choose the project, as the General tab does."""
    found = product.clients.projects.get_project(name=f"projects/{PROJECT}")
    session.project = Project(PROJECT, found.name.rsplit("/", 1)[1], PROJECT)


def running(
    folder: Path,
    environment: pytest.MonkeyPatch,
    images: Mapping[str, tuple[str, ...]] = IMAGES,
) -> Iterator[Product]:
    """Yield a product with a running cloud and a cache of its own, then stop it."""
    environment.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    product = Product(folder / "cloud", environment, images)
    yield product
    product.cloud.stop()
    environment.undo()
    settings.cache_clear()
