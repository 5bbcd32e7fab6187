"""Buckets that can't be mounted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import links
from llm_widgets.domain.failures.advice import MORE_MEMORY, MOUNT_AGAIN, WITHOUT_NETWORK
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
_UNREACHED = (
    r"(?P<detail>x509: [^,\n]{1,120}|dial tcp[^,\n]{1,120}|TLS handshake timeout|"
    r"context deadline exceeded|oauth2: [^,\n]{1,120}|i/o timeout|"
    r"connection (?:refused|reset by peer))"
)
_UNAUTHENTICATED = (
    r"(?P<detail>code = Unauthenticated[^\n]{0,200}|per-RPC creds failed[^\n]{0,200}|"
    r"oauth2: [^\n]{0,80}?invalid_grant|oauth2: cannot fetch token: 4\d\d [\w ]{1,40}|"
    r"could not find default credentials|Error 401[^\n]{0,120})"
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


_NO_NAME = r"(?P<given>gs:[/\w.-]{0,222}|[\w.-]{1,63}/[\w./-]{0,200})"

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
            "The service account can't read the bucket.",
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
        id="bucket-name",
        rank=Rank.MOUNT,
        signs=(
            anywhere(rf"Unknown bucket [\"']?{_NO_NAME}"),
            anywhere(rf"[Ii]nvalid bucket name:? [\"']?{_NO_NAME}"),
            anywhere(r"[Ii]nvalid bucket name"),
        ),
        causes=(
            (
                "{given} is not the name of a bucket: that is what stands after gs://, without a "
                "folder."
            ),
            "The given name is not the name of a bucket.",
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Give the name of the bucket alone, without gs:// and without a slash; a folder "
                "in it is named by the mount option only-dir.",
            ),
        ),
        source="GoogleCloudPlatform/gcsfuse#459",
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
                RemedyKind.NONE,
                "Choose the bucket that holds the model, or import the model again.",
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
                "Deploy without {options}.",
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
                "Deploy without {options}.",
                {"remove_mount_options": "{options}"},
            ),
            Advice(RemedyKind.NONE, "Correct the mount options, or take it out.", fallback=True),
        ),
        source="GoogleCloudPlatform/gcsfuse: cmd/root.go",
        derive=_unknown,
    ),
    KnownFailure(
        id="mount-option-value",
        rank=Rank.MOUNT,
        signs=(
            anywhere(r"invalid value (?:of|for) (?P<option>[a-z][\w.-]{1,80})[:;, ].{0,80}?should"),
            anywhere(
                r"the value of (?P<option>[a-z][\w-]{1,60})(?: (?:for|in) [\w-]{1,30})? "
                r"(?:must not|can't be|should be|is too)"
            ),
            anywhere(r"invalid config: error parsing (?P<option>[a-z][\w -]{1,60}) config"),
            anywhere(r"invalid argument \S{1,100} for \S{0,3}--(?P<option>[a-z][\w-]{1,60})"),
        ),
        causes=("Cloud Storage FUSE does not take the value of the mount option {option}.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy without the mount options {options}.",
                {"remove_mount_options": "{options}"},
            ),
            Advice(
                RemedyKind.NONE,
                "Correct the value of the mount option, or leave it out: it has a default.",
                fallback=True,
            ),
        ),
        source="GoogleCloudPlatform/gcsfuse: cfg/validate.go",
        derive=_unknown,
    ),
    KnownFailure(
        id="mount-identity",
        rank=Rank.MOUNT,
        signs=(
            anywhere(rf"mountWithArgs: .{{0,250}}?{_UNAUTHENTICATED}"),
            anywhere(rf"mountWithStorageHandle: .{{0,250}}?{_UNAUTHENTICATED}"),
            anywhere(rf"SetUpBucket: .{{0,250}}?{_UNAUTHENTICATED}"),
            anywhere(rf"mounting volume type gcs failed: .{{0,250}}?{_UNAUTHENTICATED}"),
            anywhere(rf"bucket doesn't appear to work: .{{0,350}}?{_UNAUTHENTICATED}"),
        ),
        causes=(
            (
                "Cloud Storage does not take the credentials with which the bucket is mounted: "
                "{detail}."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Check that the service account of the service exists and is not disabled, and has "
                "roles/storage.objectViewer on the bucket.",
            ),
            MOUNT_AGAIN,
            Advice(
                RemedyKind.NONE,
                "If a program of the container mounts the bucket, mount it as a volume of the "
                "service instead: no key file is needed then.",
            ),
        ),
        source="GoogleCloudPlatform/gcs-fuse-csi-driver#1445",
    ),
    KnownFailure(
        id="mount-unreachable",
        rank=Rank.MOUNT,
        signs=(
            anywhere(rf"mountWithArgs: .{{0,250}}?{_UNREACHED}"),
            anywhere(rf"mountWithStorageHandle: .{{0,250}}?{_UNREACHED}"),
            anywhere(rf"SetUpBucket: .{{0,250}}?{_UNREACHED}"),
            anywhere(rf"mounting volume type gcs failed: .{{0,250}}?{_UNREACHED}"),
        ),
        causes=("Cloud Storage could not be reached to mount the bucket: {detail}.",),
        advice=(
            MOUNT_AGAIN,
            WITHOUT_NETWORK,
            Advice(
                RemedyKind.NONE,
                "If a program of the container mounts the bucket, mount it as a volume of the "
                "service instead, or use an image that has root certificates (ca-certificates).",
            ),
        ),
        source="GoogleCloudPlatform/gcsfuse#257",
    ),
    KnownFailure(
        id="fuse-missing",
        rank=Rank.MOUNT,
        signs=(
            anywhere(r"fuse device not found, try 'modprobe fuse' first"),
            anywhere(r"/dev/fuse: (?:No such file or directory|Operation not permitted)"),
            anywhere(r"exec: \S{0,3}fusermount3?\S{0,3}: executable file not found"),
            anywhere(r"fusermount3?: mount failed: Operation not permitted"),
        ),
        causes=(
            (
                "A program of the container wants to mount the bucket and has no FUSE: Cloud Run "
                "has it in its second generation execution environment only."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Mount the bucket as a volume of the service, not by a program of the container.",
            ),
            Advice(
                RemedyKind.NONE,
                "Or choose the second generation execution environment for the service.",
            ),
        ),
        source="GoogleCloudPlatform/gcsfuse#787",
    ),
    KnownFailure(
        id="mount-failed",
        rank=Rank.MOUNT,
        signs=(
            anywhere(r"mountWithStorageHandle: (?P<detail>[^\n]{1,300})"),
            anywhere(r"mounting volume type gcs failed: (?P<detail>[^\n]{1,300})"),
            anywhere(r"mountWithArgs: (?P<detail>[^\n]{1,300})"),
        ),
        causes=(
            "The bucket {bucket} could not be mounted: {detail}",
            "The bucket could not be mounted: {detail}",
        ),
        advice=(
            Advice(
                RemedyKind.OPEN_LINK,
                "The last part of the line tells why; Cloud Storage FUSE explains its errors.",
                url="https://github.com/GoogleCloudPlatform/gcsfuse/blob/master/docs/troubleshooting.md",
            ),
            Advice(
                RemedyKind.NONE,
                "Check that the bucket is there, and that the service account has "
                "roles/storage.objectViewer on it.",
            ),
            MOUNT_AGAIN,
        ),
        source="GoogleCloudPlatform/gcsfuse#3128",
        confidence=Confidence.LIKELY,
    ),
    KnownFailure(
        id="storage-lost",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"(?P<detail>Transport endpoint is not connected)"),
            anywhere(r"(?P<detail>Stale file handle)"),
            anywhere(r"(?P<detail>Stale NFS file handle)"),
            anywhere(r"(?P<detail>Input/output error)"),
            anywhere(r"(?P<detail>Software caused connection abort)"),
            anywhere(r"(?P<detail>The file was modified or deleted by another process)"),
        ),
        causes=(
            (
                "The mounted bucket {bucket} failed while it was read, or a file in it changed: "
                "{detail}."
            ),
            "The mounted bucket failed while it was read, or a file in it changed: {detail}.",
        ),
        advice=(
            MOUNT_AGAIN,
            Advice(
                RemedyKind.NONE,
                "Don't overwrite files of a model that is served: import it into another "
                "folder, or import it again and then deploy again.",
            ),
            MORE_MEMORY,
        ),
        source="GoogleCloudPlatform/gcsfuse#3654",
        confidence=Confidence.LIKELY,
    ),
)
