"""Refusals because of what a bucket or a secret is tied to: Cloud KMS keys, and who pays."""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING

from llm_widgets.domain import links, members
from llm_widgets.errors import DeniedError, Fix, ManagerError
from llm_widgets.gcp.client import messages

if TYPE_CHECKING:
    from llm_widgets.gcp.refusals.doing import Doing
    from llm_widgets.gcp.refusals.reading import Refusal

_KMS = re.compile(r"cloud ?kms|\bkms\b|crypto ?key|encryption key|\bCMEK\b", re.IGNORECASE)
_ACCESS = re.compile(
    r"denied|not authorized|been authorized|does not have|lacks|needs|must have", re.IGNORECASE
)
_DESTROYED = re.compile(r"destroy", re.IGNORECASE)
_MISSING = re.compile(r"not found|does ?n[o']t exist", re.IGNORECASE)
_UNREACHABLE = re.compile(r"\bEKM\b|external key|not reachable|unreachable", re.IGNORECASE)
_DISABLED = re.compile(r"not enabled|disabled|KEY_DISABLED", re.IGNORECASE)
_ELSEWHERE = re.compile(
    r"(?:same|match|compatible|incompatible|different|wrong|not in|must be in).{0,60}"
    r"(?:location|region)|(?:location|region).{0,60}(?:match|compatible|differ|same|not available)",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"projects/([\w.:-]{1,100})/locations/([\w-]{1,40})/keyRings/([\w-]{1,63})/cryptoKeys/"
    r"([\w-]{1,63})(?:/cryptoKeyVersions/(\d{1,9}))?"
)
_ACCOUNT = re.compile(r"\b[\w.-]{1,100}@[\w.-]{1,100}\.gserviceaccount\.com\b")
_PAYS = re.compile(r"requester[- ]pays|user project specified", re.IGNORECASE)
_CUSTOMER_KEY = re.compile(r"customer-supplied encryption|customer encryption key", re.IGNORECASE)
# Other permissions are those of whoever asks, and no agent's.
_USES = ("", "cloudkms.cryptoKeyVersions.useToEncrypt", "cloudkms.cryptoKeyVersions.useToDecrypt")
_ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


def kms(refusal: Refusal, doing: Doing) -> ManagerError | None:
    """Word a Cloud KMS key that can't be used: who may, whether it is on, and where it is."""
    reason = refusal.reason
    told = f"{refusal.message} {reason}"
    if "constraint" in refusal.message or not (_KMS.search(refusal.message) or "KEY_" in reason):
        return None
    key = _KEY.search(f"{refusal.resource} {refusal.message}")
    name = f" {key[4]}" if key else ""
    project = key[1] if key else doing.project
    url = links.kms_key(*key.groups()[:4]) if key else links.kms_keys(project)
    if _DESTROYED.search(told):
        why, fix = f"the Cloud KMS key{name} is destroyed, or is going to be", _restore(key)
    elif _MISSING.search(told):
        why = f"the Cloud KMS key{name} does not exist"
        fix = Fix(text="Have the bucket's default key changed, or use another bucket.")
    elif _DISABLED.search(told):
        why, fix = f"the Cloud KMS key{name} is disabled", _enable(key)
    elif _UNREACHABLE.search(told):
        why = f"the external key manager of the Cloud KMS key{name} does not answer"
        fix = Fix(
            text="Have the external key manager looked at by the team that runs it, then try again."
        )
    elif _ELSEWHERE.search(told):
        why = f"the Cloud KMS key{name} is in another location"
        fix = Fix(text="Use a key in the location of what it encrypts.")
    elif _ACCESS.search(told) and refusal.permission in _USES:
        return DeniedError(
            doing.cant(f"the Cloud KMS key{name} can't be used"),
            cause=refusal.message,
            fix=_grant(key, url, _first_account(refusal.message)),
        )
    else:
        return None
    return ManagerError(
        doing.cant(why),
        cause=refusal.message,
        fix=Fix(text=fix.text, command=fix.command, url=url),
    )


def _restore(key: re.Match[str] | None) -> Fix:
    return Fix(
        text="Until its time is over, its destruction can be cancelled, and it is enabled then. "
        "After that, what it encrypted is lost: use another key.",
        command=_version_command(key, "restore"),
    )


def _enable(key: re.Match[str] | None) -> Fix:
    return Fix(text="Have its version enabled again.", command=_version_command(key, "enable"))


def _version_command(key: re.Match[str] | None, verb: str) -> str:
    if key is None or not key[5]:
        return ""
    return (
        f"gcloud kms keys versions {verb} {key[5]} --key={key[4]} --keyring={key[3]} "
        f"--location={key[2]} --project={quote(key[1])}"
    )


def _first_account(message: str) -> str:
    found = _ACCOUNT.search(message)
    return found[0] if found else ""


def _grant(key: re.Match[str] | None, url: str, email: str) -> Fix:
    account = email or "the service agent or account that uses it"
    member = members.service_account(email) if email else "MEMBER"
    if key is None:
        return Fix(
            text=f"Ask an administrator of the key to grant {_ROLE} on it to {account}; Cloud "
            "Storage uses keys as its own service agent (gcloud storage service-agent).",
            url=url,
        )
    return Fix(
        text=f"Ask an administrator of the key to grant {_ROLE} on it to {account}:",
        command=f"gcloud kms keys add-iam-policy-binding {key[4]} --keyring={key[3]} "
        f"--location={key[2]} --project={quote(key[1])} --member={member} --role={_ROLE}",
        url=url,
    )


def customer_key(refusal: Refusal, doing: Doing) -> ManagerError | None:
    """Word an object that somebody encrypted with a key of their own, which Google does not keep.

    Its reasons are those of https://cloud.google.com/storage/docs/json_api/v1/status-codes.
    """
    told = f"{refusal.message} {' '.join(refusal.legacy)}"
    if not _CUSTOMER_KEY.search(told) and "customerencryptionkey" not in told.lower():
        return None
    return ManagerError(
        doing.cant("an object there is encrypted with a customer-supplied encryption key"),
        cause=refusal.message,
        fix=Fix(
            text="No role helps against this: services can't send such a key. Have the object "
            "deleted, or written again without that key by its owner.",
            url=links.bucket(doing.bucket, doing.project) if doing.bucket else "",
        ),
    )


def requester_pays(refusal: Refusal, doing: Doing) -> ManagerError | None:
    """Word a bucket whose readers pay: no project is named for it here."""
    if not _PAYS.search(refusal.message) and "UserProjectMissing" not in refusal.legacy:
        return None
    bucket = messages.bucket(refusal.message) or doing.bucket
    where = f"the bucket {bucket}" if bucket else "the bucket"
    return ManagerError(
        doing.cant(f"readers of {where} have to pay (Requester Pays)"),
        cause=refusal.message,
        fix=Fix(
            text="Use another bucket, or have Requester Pays turned off:",
            command=f"gcloud storage buckets update {quote(f'gs://{bucket}')} --no-requester-pays"
            if bucket
            else "",
            url=links.bucket(bucket, doing.project) if bucket else "",
        ),
    )
