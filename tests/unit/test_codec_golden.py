"""What is asked of Cloud Run, and what is written for other tools, byte by byte.

`python -m tests.unit.test_codec_golden` writes the files anew, where a difference is wanted.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from google.cloud import run_v2
from google.protobuf import json_format

from llm_widgets.gcp.run import services
from llm_widgets.serving.codec import deployment_of, document, edited
from llm_widgets.serving.export import Language, written
from tests.unit.codec_cases import CHANGES, DATA, DEPLOYMENTS, FOREIGN, LEAST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from llm_widgets.domain.services import Deployment


def text_of(document: Any) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def wire(deployment: Deployment) -> dict[str, Any]:
    """Return the request as it goes over the wire."""
    service = run_v2.Service.pb(services.message(document(deployment)))
    sent: dict[str, Any] = json_format.MessageToDict(service)
    return sent


FILES: dict[str, Callable[[Deployment], str]] = {
    "request.json": lambda deployment: text_of(wire(deployment)),
    "service.yaml": lambda deployment: written(deployment, Language.YAML),
    "deploy.sh": lambda deployment: written(deployment, Language.GCLOUD) + "\n",
    "service.tf": lambda deployment: written(deployment, Language.TERRAFORM),
    "deploy.py.txt": lambda deployment: written(deployment, Language.PYTHON),
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("case", DEPLOYMENTS)
def test_what_is_asked_and_what_is_written(case: str, file: str) -> None:
    assert FILES[file](DEPLOYMENTS[case]) == (DATA / case / file).read_text("utf-8")


def made(case: str) -> dict[str, Any]:
    """Return a service as the API shows it that was deployed as a file of this folder says."""
    deployment = DEPLOYMENTS[case]
    place = f"projects/{deployment.project}/locations/{deployment.region}"
    sent: dict[str, Any] = json.loads((DATA / case / "request.json").read_text("utf-8"))
    return {"name": f"{place}/services/{deployment.name}", "etag": '"1"', **sent}


SERVICES: dict[str, Callable[[], dict[str, Any]]] = {
    "foreign": lambda: FOREIGN,
    "least": lambda: LEAST,
    **{case: partial(made, case) for case in ("subnet", "ollama", "fractions")},
}


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Return each single value of a document by where it stands."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    found: dict[str, Any] = {}
    for key, each in entries:
        is_inner = isinstance(each, dict | list) and each
        place = f"{path}{key}"
        found.update(leaves(each, f"{place}.") if is_inner else {place: each})
    return found


def changes_of(service: dict[str, Any]) -> str:
    """Write what each change does: the update mask, what becomes different, and what goes."""
    before, old = deployment_of(service), leaves(service)
    told = {}
    for name, fields in CHANGES.items():
        changed, paths = edited(service, before, replace(before, **fields))
        new = leaves(changed)
        told[name] = {
            "mask": paths,
            "becomes": {k: v for k, v in new.items() if k not in old or old[k] != v},
            "gone": sorted(old.keys() - new.keys()),
        }
    return text_of(told)


def file_of_changes(case: str) -> Path:
    return DATA / "changes" / f"{case}.json"


@pytest.mark.parametrize("case", SERVICES)
def test_what_a_change_sends(case: str) -> None:
    assert changes_of(SERVICES[case]()) == file_of_changes(case).read_text("utf-8")


def write() -> None:
    """Write all files."""
    for case, deployment in DEPLOYMENTS.items():
        (DATA / case).mkdir(parents=True, exist_ok=True)
        for name, text in FILES.items():
            (DATA / case / name).write_text(text(deployment), "utf-8")
    file_of_changes("").parent.mkdir(exist_ok=True)
    for case, service in SERVICES.items():
        file_of_changes(case).write_text(changes_of(service()), "utf-8")


if __name__ == "__main__":
    write()
