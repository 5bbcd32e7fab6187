"""What a new local cloud holds: projects, one owner, default accounts and networks."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from local_cloud.google.billing import ACCOUNT
from local_cloud.google.projects import new_project
from local_cloud.google.regions import network_ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_cloud.access import Access
    from local_cloud.store import Store

OTHER_PROJECT = "other-project"
"""A project that exists and that the owner of the others may not see."""


def owner_account(project: str) -> str:
    """Return the address of the account that owns the projects, and whose key clients are given."""
    return f"manager@{project}.iam.gserviceaccount.com"


def seed(store: Store, access: Access, projects: Sequence[str]) -> None:
    """Make the projects that are not there yet; one account owns each of them.

    Parameters
    ----------
    store
        Where everything is kept.
    access
        Keeps the policies.
    projects
        Ids; the owner's account is one of the first.

    """
    owner = owner_account(projects[0])
    with store.transaction():
        for project in (*projects, OTHER_PROJECT):
            if store.get("project", project) is None:
                _make_project(store, project)
        if store.get("service_account", owner) is None:
            _make_account(store, projects[0], owner, "Owner of the projects")
        for project in projects:
            _own(access, store, project, owner)


def _make_project(store: Store, project: str) -> None:
    # Numbers are made from the id, so that a folder made anew gives the same ones.
    number = 10**11 + int(hashlib.sha256(project.encode()).hexdigest(), 16) % (9 * 10**11)
    title = project.replace("-", " ").capitalize()
    store.put("project", project, new_project(number, title, ACCOUNT))
    account = f"{number}-compute@developer.gserviceaccount.com"
    _make_account(store, project, account, "Compute Engine default service account")
    store.put("network", f"{project}/default", {"auto": True, "created": int(time.time())})
    for region, block in network_ranges().items():
        subnet = {"network": "default", "range": block, "private_google_access": False}
        store.put("subnetwork", f"{project}/{region}/default", subnet)


def _make_account(store: Store, project: str, email: str, display_name: str) -> None:
    number = str(10**20 + int(hashlib.sha256(email.encode()).hexdigest(), 16) % 10**20)
    record = {"project": project, "display_name": display_name, "description": "", "id": number}
    store.put("service_account", email, record)


def _own(access: Access, store: Store, project: str, owner: str) -> None:
    """Make an account the owner of a project whose policy nobody has set yet."""
    resource = f"projects/{project}"
    if store.get("policy", resource) is not None:
        return
    record = store.get("project", project)
    assert record is not None
    default = f"serviceAccount:{record['number']}-compute@developer.gserviceaccount.com"
    access.set_policy(
        resource,
        {
            "bindings": [
                {"role": "roles/owner", "members": [f"serviceAccount:{owner}"]},
                # As in a project outside an organisation: the default account is an editor.
                {"role": "roles/editor", "members": [default]},
            ]
        },
    )
