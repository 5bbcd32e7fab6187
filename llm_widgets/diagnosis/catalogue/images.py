"""Container images that can't be used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain.failures.known_failure import (
    Groups,
    KnownFailure,
    Rank,
    anywhere,
    logged,
    reason,
    said,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context

_IMAGE = r"(?P<image>[\w][\w./:@-]{0,300}[\w])"
_OWNER = re.compile(r"(?:[\w-]{1,60}-docker\.pkg\.dev|(?:[\w-]{1,20}\.)?gcr\.io)/([\w-]{1,60})/")


def _owner(groups: Groups, context: Context) -> Groups:
    """Find the project that an image belongs to, for it may be another one."""
    image = groups.get("image") or context.image
    found = _OWNER.match(image)
    return {**groups, "owner": found[1]} if found else groups


_DEFAULT = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with {default_image}, the image that {engine} is offered with.",
    {"image": "{default_image}"},
)
_CHANGE = Advice(RemedyKind.NONE, "Check the image's name and tag.")

FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="image-registry",
        rank=Rank.REFUSED,
        signs=(
            said(
                rf"Expected an image path like \[host/\]repo-path.{{0,200}}?but obtained {_IMAGE}"
            ),
            said(r"Expected an image path like"),
        ),
        causes=(
            "Cloud Run does not take images from the registry of {image}.",
            "Cloud Run does not take images from this registry.",
        ),
        advice=(
            _DEFAULT,
            Advice(
                RemedyKind.OPEN_LINK,
                "Use an image of Docker Hub or Artifact Registry, or make a remote repository.",
                url="https://cloud.google.com/artifact-registry/docs/repositories/remote-repo",
            ),
        ),
        source="hashicorp/terraform-provider-google#14700",
    ),
    KnownFailure(
        id="image-access",
        rank=Rank.MISSING,
        signs=(
            anywhere(
                r"Service Agent (?P<agent>service-\d{1,20}@serverless-robot-prod"
                rf"\.iam\.gserviceaccount\.com) must have permission to read the image, {_IMAGE}"
            ),
            said(rf"must have permission to read the image, {_IMAGE}"),
            said(r"artifactregistry\.repositories\.downloadArtifacts.{0,10}? denied"),
            reason(
                "CONTAINER_PERMISSION_DENIED",
                "CONTAINER_IMAGE_UNAUTHORIZED",
                "CONTAINER_IMAGE_AUTHORIZATION_CHECK_FAILED",
            ),
        ),
        causes=("Cloud Run may not read the image {image}.", "Cloud Run may not read the image."),
        advice=(
            Advice(
                RemedyKind.GRANT,
                "Grant roles/artifactregistry.reader in the project {owner} to Cloud Run.",
                {
                    "role": "roles/artifactregistry.reader",
                    "resource": "projects/{owner}",
                    "member": "serviceAccount:{agent}",
                },
                command="gcloud projects add-iam-policy-binding {owner} "
                "--member=serviceAccount:{agent} --role=roles/artifactregistry.reader",
            ),
            Advice(RemedyKind.NONE, "Use an image that is public, or one of this project."),
        ),
        source="terraform-google-modules/terraform-google-slo#128",
        derive=_owner,
    ),
    KnownFailure(
        id="image-missing",
        rank=Rank.MISSING,
        signs=(
            anywhere(rf"Image '{_IMAGE}' not found"),
            reason("CONTAINER_MISSING"),
        ),
        causes=("There is no image {image}.", "There is no such image."),
        advice=(_DEFAULT, _CHANGE),
        source="google-github-actions/deploy-cloudrun#465",
    ),
    KnownFailure(
        id="image-architecture",
        rank=Rank.CONTAINER,
        signs=(
            anywhere(r"must support amd64/linux"),
            logged(r"Application failed to start: .{0,300}?exec format error"),
            logged(r"exec format error"),
        ),
        causes=(
            "The image is for another processor: Cloud Run runs 64-bit Intel and AMD programs.",
        ),
        advice=(
            _DEFAULT,
            Advice(RemedyKind.NONE, "Use an image that is built for linux/amd64."),
        ),
        source="umami-software/umami#2018",
    ),
    KnownFailure(
        id="image-entrypoint",
        rank=Rank.CONTAINER,
        signs=(
            logged(r"Application failed to start: (?P<detail>[^\n]{1,200})"),
            logged(r"executable file not found in \$PATH"),
        ),
        causes=(
            "The image's program could not be started: {detail}",
            "The image has no program of the name that the command gives.",
        ),
        advice=(
            Advice(RemedyKind.NONE, "Check the image and the container's command and arguments."),
        ),
        source="gotenberg/gotenberg#505",
    ),
)
