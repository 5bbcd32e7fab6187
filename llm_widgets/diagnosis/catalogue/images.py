"""Container images that can't be used."""

from __future__ import annotations

from llm_widgets.domain.failures.advice import DEFAULT_IMAGE
from llm_widgets.domain.failures.known_failure import (
    KnownFailure,
    Rank,
    anywhere,
    logged,
    reason,
    said,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

_IMAGE = r"(?P<image>[\w][\w./:@-]{0,300}[\w])"


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
            DEFAULT_IMAGE,
            Advice(
                RemedyKind.RUN_COMMAND,
                "Create a remote repository of {other_registry} in Artifact Registry.",
                command="gcloud artifacts repositories create {mirror_repository} "
                "--project={project} --location={region} --repository-format=docker "
                "--mode=remote-repository --remote-docker-repo=https://{other_registry}",
            ),
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with {mirror}, which that repository pulls from {other_registry}.",
                {"image": "{mirror}"},
            ),
            Advice(
                RemedyKind.OPEN_LINK,
                "Use an image of Docker Hub or Artifact Registry, or make a remote repository.",
                url="https://cloud.google.com/artifact-registry/docs/repositories/remote-repo",
            ),
        ),
        source="hashicorp/terraform-provider-google#14700",
    ),
    KnownFailure(
        id="image-missing",
        rank=Rank.MISSING,
        signs=(
            anywhere(rf"Image '{_IMAGE}' not found"),
            reason("CONTAINER_MISSING"),
        ),
        causes=("There is no image {image}.", "There is no such image."),
        advice=(DEFAULT_IMAGE, _CHANGE),
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
            DEFAULT_IMAGE,
            Advice(RemedyKind.NONE, "Use an image that is built for linux/amd64."),
        ),
        source="umami-software/umami#2018",
    ),
    KnownFailure(
        id="image-entrypoint",
        rank=Rank.CONTAINER,
        signs=(
            logged(r"Application failed to start: (?P<detail>[^\n]{1,200})"),
            anywhere(
                r"exec:? [\"'\\]{0,2}(?P<program>[^\s\"':\\]{1,200})\W{1,3}"
                r"(?:executable file not found|no such file or directory)"
            ),
            anywhere(r"executable file not found in \$PATH"),
            anywhere(
                r"failed to resolve binary path: (?P<detail>error finding executable [^\n]{1,160})"
            ),
            anywhere(r"Invalid ENTRYPOINT\. (?P<detail>[^\n]{1,160})"),
            logged(r"Application exec likely failed"),
        ),
        causes=(
            "The image has no program {program} that can be started, or lacks what it needs.",
            "The image's program could not be started: {detail}",
            "The image has no program of the name that the command gives.",
        ),
        advice=(
            Advice(RemedyKind.NONE, "Check the image and the container's command and arguments."),
            Advice(
                RemedyKind.NONE,
                "A script needs the program that its first line names, and lines that end as on "
                "Linux.",
                needs=("program",),
            ),
        ),
        source="gotenberg/gotenberg#505",
    ),
    KnownFailure(
        id="image-user",
        rank=Rank.CONTAINER,
        signs=(anywhere(r"User \W{0,3}(?P<user>[\w-]{1,32})\W{1,4} not found in /etc/passwd"),),
        causes=(
            (
                "The image names its user, {user}, which Cloud Run can't look up in it, for "
                "example "
                "where images are encrypted with a key of your own."
            ),
        ),
        advice=(
            DEFAULT_IMAGE,
            Advice(
                RemedyKind.NONE,
                "Name the user by its number in the Dockerfile: USER 0 for root.",
            ),
        ),
        source="Cloud Run documentation: troubleshooting, user not found",
    ),
    KnownFailure(
        id="image-import",
        rank=Rank.MISSING,
        signs=(
            anywhere(r"[Cc]ontainer import failed"),
            anywhere(r"Failed to import container image"),
            anywhere(
                r"toomanyrequests: |You have reached your (?:unauthenticated )?pull rate limit"
            ),
            reason("CONTAINER_IMPORT_FAILED"),
        ),
        causes=(
            "Cloud Run could not copy the image {image}.",
            "Cloud Run could not copy the image.",
        ),
        advice=(
            Advice(RemedyKind.REDEPLOY, "Deploy again: the registry may have been busy."),
            DEFAULT_IMAGE,
            Advice(
                RemedyKind.OPEN_LINK,
                "If it happens again, keep the image in Artifact Registry, by a remote repository.",
                url="https://cloud.google.com/artifact-registry/docs/repositories/remote-repo",
            ),
        ),
        source="Cloud Run documentation: troubleshooting, container import",
    ),
)
