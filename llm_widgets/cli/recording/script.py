"""Calls that settle what no public recording tells of Google Cloud."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from llm_widgets.cli.recording.place import ACCOUNT, IMAGE, NOBODY, SERVICE, Place, Told
from llm_widgets.domain import google_apis as apis
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.client import lazy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_LOG_READS = 65  # more than the 60 a minute of https://cloud.google.com/logging/quotas
_METRIC = 'metric.type = "run.googleapis.com/container/cpu/utilizations"'
_OF_REVISIONS = 'resource.type = "cloud_run_revision"'
# The longest id that the product made before its ids were shortened.
_PREFERENCE = "llm-manager-NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion-asia-southeast1"
_NO_ENTRY = f'insertId="{NOBODY}"'
_TIMEOUT = 60.0  # seconds
_READER = "roles/storage.objectViewer"

OWN = frozenset(
    {
        "/m",
        "16Gi",
        "4",
        "8Gi",
        "INGRESS_TRAFFIC_INTERNAL_ONLY",
        "Key",
        "Upper.Case",
        "allUsers",
        "cache-dir=cr-volume:missing",
        "default",
        "enforced",
        "gcs",
        "gs",
        "m",
        "no-such-flag=1",
        "nvidia-l4",
        "nvidia.com/gpu",
        "us-east4",
        IMAGE,
        NOBODY,
        SERVICE,
        _NO_ENTRY,
        _PREFERENCE,
    }
)
"""Texts of these calls, which tell of nobody."""


@dataclass(frozen=True, slots=True)
class Step:
    """A question, and what finds the answer out."""

    question: str
    answer: Callable[[Place], str]


def _missing(place: Place) -> str:
    project = place.project.id
    paths = (
        (apis.RUN, f"{place.services}/{NOBODY}"),
        (apis.SECRET_MANAGER, f"/v1/projects/{project}/secrets/{NOBODY}"),
        (apis.IAM, f"/v1/projects/{project}/serviceAccounts/{place.account}"),
        (apis.STORAGE, f"/storage/v1/b/{place.bucket}"),
        (apis.RESOURCE_MANAGER, f"/v3/projects/{NOBODY}"),
        (apis.VPC_ACCESS, f"/v1/projects/{project}/locations/{place.region}/connectors/{NOBODY}"),
    )
    return "; ".join(f"{api} {place.ask('GET', api, path).status}" for api, path in paths)


def _dry(place: Place, document: Mapping[str, Any], region: str = "") -> Told:
    path = place.services.replace(place.region, region) if region else place.services
    return place.ask("POST", apis.RUN, f"{path}?serviceId={SERVICE}&validateOnly=true", document)


def _dry_run(place: Place) -> str:
    told = _dry(place, place.document())
    if told.message:
        return told.short
    if told.body.get("done"):
        return "it is done in its first answer"
    looked = place.ask("GET", apis.RUN, f"/v2/{told.body.get('name', '')}")
    return f"its operation: {looked.short}, done: {bool(looked.body.get('done'))}"


def _odd_services(place: Place) -> str:
    plain = place.document()
    mounts = [{"name": "m", "mountPath": "/m"}]
    container = {"image": IMAGE, "volumeMounts": mounts}

    def mounted(volume: Mapping[str, Any]) -> dict[str, Any]:
        return {"template": {"containers": [container], "volumes": [{"name": "m", **volume}]}}

    def bucket(*options: str) -> dict[str, Any]:
        return mounted({"gcs": {"bucket": place.bucket, "mountOptions": list(options)}})

    odd = {
        "labels with capitals": {**plain, "labels": {"Key": "Upper.Case"}},
        "an unknown flag of gcsfuse": bucket("no-such-flag=1"),
        "a cache in a volume that is missing": bucket("cache-dir=cr-volume:missing"),
        "a volume larger than the memory": mounted({"emptyDir": {"sizeLimit": "8Gi"}}),
    }
    return "; ".join(f"{name}: {_dry(place, document).short}" for name, document in odd.items())


def _redundancy(place: Place) -> str:
    limits = {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "1"}
    document = place.document(
        nodeSelector={"accelerator": "nvidia-l4"}, gpuZonalRedundancyDisabled=False
    )
    document["template"]["containers"][0]["resources"] = {"limits": limits}
    return _dry(place, document, "us-east4").short


def _new_account(place: Place) -> str:
    project = place.project.id
    accounts = f"/v1/projects/{project}/serviceAccounts"
    place.undo.callback(place.remove, apis.IAM, f"{accounts}/{place.account}")
    made = place.ask("POST", apis.IAM, accounts, {"accountId": ACCOUNT})
    bucket = {
        "name": place.bucket,
        "location": place.region,
        "iamConfiguration": {
            "uniformBucketLevelAccess": {"enabled": True},
            "publicAccessPrevention": "enforced",
        },
    }
    place.undo.callback(place.remove, apis.STORAGE, f"/storage/v1/b/{place.bucket}")
    created = place.ask("POST", apis.STORAGE, f"/storage/v1/b?project={project}", bucket)
    if made.message or created.message:
        return f"account: {made.short}; bucket: {created.short}"
    return _bound(place, f"serviceAccount:{place.account}").short


def _bound(place: Place, member: str) -> Told:
    path = f"/storage/v1/b/{place.bucket}/iam"
    # As a whole: what is not in it is taken away, the right to delete the bucket as well.
    bindings = place.ask("GET", apis.STORAGE, path).body.get("bindings", [])
    bound = [*bindings, {"role": _READER, "members": [member]}]
    return place.ask("PUT", apis.STORAGE, path, {"bindings": bound})


def _public(place: Place) -> str:
    return _bound(place, "allUsers").short


def _complete_twice(place: Place) -> str:
    session: Any = place.clients.session
    url = f"{place.clients.url(apis.STORAGE)}/{place.bucket}/parts"
    started = session.post(f"{url}?uploads", timeout=_TIMEOUT)
    found = re.search(r"<UploadId>([^<]+)<", started.text)
    if not found:
        return f"no upload: {started.status_code}"
    upload = quote(found[1], safe="")
    place.undo.callback(place.remove, apis.STORAGE, f"/storage/v1/b/{place.bucket}/o/parts")
    sent = session.put(f"{url}?partNumber=1&uploadId={upload}", data=b"x", timeout=_TIMEOUT)
    part = f"<PartNumber>1</PartNumber><ETag>{sent.headers.get('ETag', '')}</ETag>"
    whole = f"<CompleteMultipartUpload><Part>{part}</Part></CompleteMultipartUpload>"

    def complete() -> tuple[int, float]:
        begun = time.monotonic()
        answer = session.post(f"{url}?uploadId={upload}", data=whole, timeout=_TIMEOUT)
        return answer.status_code, time.monotonic() - begun

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(complete) for _ in range(2)]
        answers = [*(each.result() for each in both), complete()]
    return ", ".join(f"{status} after {took:.1f} s" for status, took in answers)


def _ingress(place: Place) -> str:
    place.undo.callback(place.remove, apis.RUN, f"{place.services}/{SERVICE}")
    document = {**place.document(), "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY"}
    made = place.ask("POST", apis.RUN, f"{place.services}?serviceId={SERVICE}", document)
    ended = place.finished(made) if not made.message else made
    if ended.message or "error" in ended.body:
        return ended.short if ended.message else str(ended.body["error"].get("message", ""))
    service = place.ask("GET", apis.RUN, f"{place.services}/{SERVICE}").body
    uri, urls = service.get("uri", ""), service.get("urls", [])
    with lazy.requests.Session() as session:
        lazy.limits.secured(session)
        status = session.get(uri, timeout=_TIMEOUT).status_code
    at = urls.index(uri) if uri in urls else "not among them"
    return f"{status} from here; uri is urls[{at}] of {len(urls)}"


def _metrics(place: Place) -> str:
    now = datetime.now(UTC)
    period = (
        f"interval.startTime={(now - timedelta(hours=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}"
        f"&interval.endTime={now.strftime('%Y-%m-%dT%H:%M:%SZ')}"
    )
    path = f"/v3/projects/{place.project.id}/timeSeries?{period}&filter="
    filters = (_METRIC, f"{_METRIC} AND {_OF_REVISIONS}")
    told = [place.ask("GET", apis.MONITORING, path + quote(each)) for each in filters]
    return f"without resource.type: {told[0].short}; with it: {told[1].short}"


def _preference(place: Place) -> str:
    parent = f"/v1/projects/{place.project.id}/locations/global/quotaPreferences"
    return place.ask("GET", apis.QUOTAS, f"{parent}/{_PREFERENCE}").short


def _network(place: Place) -> str:
    subnet = f"/compute/v1/projects/{place.project.id}/regions/{place.region}/subnetworks/default"
    found = place.ask("GET", apis.COMPUTE, subnet)
    if found.message:
        return f"there is no default subnet: {found.status}"
    same = {"privateIpGoogleAccess": bool(found.body.get("privateIpGoogleAccess"))}
    told = place.ask("POST", apis.COMPUTE, f"{subnet}/setPrivateIpGoogleAccess", same)
    return f"{told.body.get('status', told.short)}, set to what it was"


def _without_quota_project(place: Place) -> str:
    if not identity.is_person(place.clients):
        return "not asked: a service account calls"
    credentials: Any = place.clients.credentials
    other = replace(place, clients=place.clients.as_other(credentials.with_quota_project(None)))
    project = place.project.id
    paths = (
        (apis.RUN, place.services),
        (apis.STORAGE, f"/storage/v1/b?project={project}"),
        (apis.IAM, f"/v1/projects/{project}/serviceAccounts"),
        (apis.RESOURCE_MANAGER, f"/v3/projects/{project}"),
        (apis.BILLING, f"/v1/projects/{project}/billingInfo"),
        (apis.SERVICE_USAGE, f"/v1/projects/{project}/services/run.googleapis.com"),
        (apis.SECRET_MANAGER, f"/v1/projects/{project}/secrets"),
        (apis.QUOTAS, f"/v1/projects/{project}/locations/global/quotaPreferences"),
        (apis.COMPUTE, f"/compute/v1/projects/{project}/regions/{place.region}/subnetworks"),
        (apis.VPC_ACCESS, f"/v1/projects/{project}/locations/{place.region}/connectors"),
    )
    return "; ".join(f"{api} {other.ask('GET', api, path).status}" for api, path in paths)


def _log_reads(place: Place) -> str:
    body = {"resourceNames": [f"projects/{place.project.id}"], "filter": _NO_ENTRY}

    def reads() -> Iterator[Told]:
        for _ in range(_LOG_READS):
            yield place.ask("POST", apis.LOGGING, "/v2/entries:list", body)

    for number, told in enumerate(reads()):
        if told.message:
            return f"the read after {number} was {told.short}"
    return f"{_LOG_READS} reads were answered"


STEPS = (
    Step("What do APIs say of what is not there?", _missing),
    Step("Does the operation of an accepted dry run end?", _dry_run),
    Step("What of a service is refused by a dry run?", _odd_services),
    Step("Has us-east4 L4 GPUs with zonal redundancy?", _redundancy),
    Step("May a policy name an account that was just made?", _new_account),
    Step("What does public access prevention answer to allUsers?", _public),
    Step("What do a second and a third CompleteMultipartUpload answer?", _complete_twice),
    Step("What does a service with internal ingress answer from here?", _ingress),
    Step("Does Monitoring want resource.type in a filter?", _metrics),
    Step("May the id of a quota preference have 77 characters?", _preference),
    Step("Is an operation of Compute Engine done in its first answer?", _network),
    Step("Which APIs want a quota project?", _without_quota_project),
    Step("What does a log read too many answer?", _log_reads),
)
"""In this order: later ones use what earlier ones made."""
