"""Fills the disk that is the working directory under a running local cloud, and tells answers."""

from __future__ import annotations

import base64
import errno
from pathlib import Path
from typing import Any

import grpc
from google.auth.transport.requests import AuthorizedSession
from google.cloud import secretmanager_v1
from google.oauth2 import service_account

from local_cloud.cloud import LocalCloud

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
PARENT = "projects/local-project"


def fill(path: Path) -> None:
    """Take all the space that is left."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def main() -> None:
    """Start, fill, ask, make space, ask."""
    cloud = LocalCloud(Path("data"), offline=True)
    cloud.start()
    print("ready")
    credentials = service_account.Credentials.from_service_account_file(
        str(cloud.credentials), scopes=SCOPES
    )
    session = AuthorizedSession(credentials)
    secrets = f"{cloud.url}/v1/{PARENT}/secrets"
    session.post(f"{secrets}?secretId=s", json={"replication": {"automatic": {}}})
    session.post(f"{cloud.url}/storage/v1/b?project=local-project", json={"name": "some-models"})
    payload = bytes(60_000)
    body = {"payload": {"data": base64.b64encode(payload).decode()}}

    fill(Path("filler"))
    # Room that the databases have taken already is used up first.
    for _ in range(200):
        answer = session.post(f"{secrets}/s:addVersion", json=body)
        if answer.status_code != 200:
            break
    print(f"secret: {answer.status_code} {answer.json()['error']['message']}")
    try:
        with grpc.insecure_channel(cloud.grpc_address) as channel:
            kind = secretmanager_v1.SecretManagerServiceClient.get_transport_class("grpc")
            client = secretmanager_v1.SecretManagerServiceClient(transport=kind(channel=channel))
            transport: Any = client._transport
            transport.add_secret_version(
                secretmanager_v1.AddSecretVersionRequest(
                    parent=f"{PARENT}/secrets/s", payload={"data": payload}
                ),
                metadata=[("authorization", f"Bearer {credentials.token}")],
            )
    except grpc.RpcError as error:
        print(f"secret over gRPC: {error.code().name} {error.details()}")
    upload = f"{cloud.url}/upload/storage/v1/b/some-models/o?uploadType=media&name=a"
    answer = session.post(upload, data=bytes(1 << 20))
    print(f"object: {answer.status_code} {answer.json()['error']['message']}")
    Path("filler").unlink()
    print(f"with space again: {session.post(f'{secrets}/s:addVersion', json=body).status_code}")
    cloud.stop()


if __name__ == "__main__":
    main()
