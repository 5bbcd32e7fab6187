"""Buckets that can't be mounted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import links
from llm_widgets.domain.failures.known_failure import (
    Confidence,
    Groups,
    KnownFailure,
    Rank,
    anywhere,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context

_DENIED = (
    r"does not have (?P<permission>storage\.[a-z]{1,30}\.[a-z]{1,30}) access to the Google "
    r"Cloud Storage (?:bucket|object)"
)
_PARALLEL = "file-cache-enable-parallel-downloads"


def _options(groups: Groups, context: Context) -> Groups:
    """Name the mount options of the deployment that ask for parallel downloads."""
    given = [option for option in context.mount_options if "parallel-download" in option]
    return {**groups, "options": ",".join(given)} if given else groups


def _unknown(groups: Groups, context: Context) -> Groups:
    """Name the unknown option only as the deployment has it: a log is written by anybody."""
    name = groups["option"]
    given = [option for option in context.mount_options if option.partition("=")[0] == name]
    return {**groups, "options": ",".join(given)} if given else groups


FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="bucket-access",
        rank=Rank.MOUNT,
        signs=(
            anywhere(rf"Error 403: (?P<account>[\w.@-]{{3,200}}) {_DENIED}"),
            anywhere(_DENIED),
            anywhere(r"SetUpBucket: OpenBucket: Bad credentials for bucket"),
        ),
        causes=(
            "The service runs as {account}, which lacks {permission} on the bucket {bucket}.",
            "The service runs as {account}, which lacks {permission} on the bucket.",
            "The service account lacks {permission} on the bucket.",
            "The service account may not read the bucket.",
        ),
        advice=(
            Advice(
                RemedyKind.GRANT,
                "Grant roles/storage.objectViewer on {bucket} to the service account.",
                {
                    "role": "roles/storage.objectViewer",
                    "resource": "buckets/{bucket}",
                    "member": "serviceAccount:{account}",
                },
                command="gcloud storage buckets add-iam-policy-binding gs://{bucket} "
                "--member=serviceAccount:{account} --role=roles/storage.objectViewer",
                url=links.bucket_policy("{bucket}", "{project}"),
            ),
            Advice(
                RemedyKind.NONE,
                "Have roles/storage.objectViewer on the bucket granted to the service account.",
                fallback=True,
            ),
        ),
        source="GoogleCloudPlatform/gcsfuse#982",
    ),
    KnownFailure(
        id="bucket-missing",
        rank=Rank.MOUNT,
        signs=(
            anywhere(r"SetUpBucket: .{0,200}?bucket doesn't exist"),
            anywhere(r"SetUpBucket: .{0,200}?The specified bucket does not exist"),
            anywhere(r"error in iterating through objects: storage: bucket doesn't exist"),
            anywhere(r"SetUpBucket: OpenBucket: Unknown bucket (?P<name>[a-z0-9._-]{3,222})"),
        ),
        causes=("There is no bucket {bucket}.", "There is no such bucket."),
        advice=(
            Advice(
                RemedyKind.NONE, "Choose the bucket that holds the model, or import the model anew."
            ),
        ),
        source="GoogleCloudPlatform/gcsfuse#2354",
    ),
    KnownFailure(
        id="mount-parallel-downloads",
        rank=Rank.MOUNT,
        signs=(anywhere(r"file cache should be enabled for parallel download support"),),
        causes=(
            (
                "The mount options ask for parallel downloads, which need a file cache, and there "
                "is none."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it without {options}.",
                {"remove_mount_options": "{options}"},
            ),
            Advice(
                RemedyKind.NONE,
                f"Add cache-dir to the mount options, or remove {_PARALLEL}.",
                fallback=True,
            ),
        ),
        source="GoogleCloudPlatform/gcsfuse: cfg/validate.go",
        derive=_options,
    ),
    KnownFailure(
        id="mount-option-unknown",
        rank=Rank.MOUNT,
        signs=(
            anywhere(
                r"(?:gcsfuse|mounting volume|mountWithArgs).{0,200}?unknown flag: "
                r"--(?P<option>[a-z][a-z0-9-]{0,60})"
            ),
            anywhere(
                r"(?:unsupported|unknown|invalid) mount option:? '?(?P<option>[a-z][a-z0-9-]{0,60})"
            ),
        ),
        causes=("Cloud Storage FUSE has no mount option {option}.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it without {options}.",
                {"remove_mount_options": "{options}"},
            ),
            Advice(RemedyKind.NONE, "Correct the mount options, or take it out.", fallback=True),
        ),
        source="GoogleCloudPlatform/gcsfuse: cmd/root.go",
        derive=_unknown,
    ),
    KnownFailure(
        id="mount-failed",
        rank=Rank.MOUNT,
        signs=(
            anywhere(
                r"(?:mountWithStorageHandle: |mounting volume type gcs failed: )"
                r"(?P<detail>[^\n]{1,300})"
            ),
            anywhere(r"mountWithArgs: (?P<detail>[^\n]{1,300})"),
        ),
        causes=("The bucket {bucket} could not be mounted.", "The bucket could not be mounted."),
        advice=(
            Advice(
                RemedyKind.OPEN_LINK,
                "The last part of the line tells why; Cloud Storage FUSE explains its errors.",
                url="https://github.com/GoogleCloudPlatform/gcsfuse/blob/master/docs/troubleshooting.md",
            ),
        ),
        source="GoogleCloudPlatform/gcsfuse#3128",
        confidence=Confidence.LIKELY,
    ),
)
