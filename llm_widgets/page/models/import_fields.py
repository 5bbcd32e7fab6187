"""The fields of the form that imports a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import regions
from llm_widgets.domain.metadata import METADATA_NAME
from llm_widgets.domain.models import Source
from llm_widgets.domain.units import bytes_text
from llm_widgets.page.models.import_form import ImportRequest
from llm_widgets.page.models.import_target import Target, TargetKind
from llm_widgets.widgets.fields import Field, Option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llm_widgets.errors import ManagerError
    from llm_widgets.gcp.storage.buckets import BucketListing
    from llm_widgets.hubs import Suggestion
    from llm_widgets.page.models.bucket_models import BucketModels
    from llm_widgets.widgets.form import Values

ADOPT, CREATE = "+adopt", "+create"  # no bucket can have such a name
_LOOKING = Option("", "Looking for buckets …")
MODEL_KEYS = {Source.HUGGING_FACE: "hugging_face_id", Source.OLLAMA: "ollama_id"}

_SOURCES = (
    Option(
        Source.HUGGING_FACE.value,
        "Hugging Face (vLLM)",
        "Slower cold starts, but better performance for high-traffic use cases.",
    ),
    Option(Source.OLLAMA.value, "Ollama", "Fast cold start and fast single-user performance."),
)
_EXAMPLES = {
    Source.HUGGING_FACE: "Qwen/Qwen3-0.6B",
    Source.OLLAMA: "gemma3:4b, user/model:tag or hf.co/user/repository:Q4_K_M",
}
_NAMED = 4  # suggestions that are written out below the field
_FIELDS_OF_TARGET = {TargetKind.ADOPT: "adopted", TargetKind.CREATE: "new_bucket"}


def import_fields(
    *,
    project: str,
    region: str,
    buckets: Sequence[BucketModels],
    others: Sequence[BucketListing],
    suggested: Mapping[Source, Sequence[Suggestion]],
    looking: bool = False,
    source: Source = Source.OLLAMA,
    model_id: str = "",
    bucket: str = "",
) -> list[Field]:
    """Make the fields.

    Parameters
    ----------
    region
        Offered first for a new bucket.
    looking
        Whether more buckets may be found.
    source, model_id, bucket
        What the fields hold at first.
    """
    return [
        Field(
            "source",
            "Hub",
            "cards",
            options=_SOURCES,
            value=source.value,
            group="Source",
        ),
        *(
            _model_field(each, suggested.get(each, ()), model_id if each is source else "")
            for each in Source
        ),
        Field(
            "revision",
            "Revision",
            help="Branch, tag or commit; the newest commit when empty.",
            placeholder="main",
            max_length=200,
            group="Model",
            show_when=("source", Source.HUGGING_FACE.value),
        ),
        Field(
            "token",
            "Hugging Face token",
            "password",
            help="Only for gated and private models. It goes into Secret Manager for as long as "
            "the import runs, and nowhere else.",
            group="Model",
            show_when=("source", Source.HUGGING_FACE.value),
        ),
        *_bucket_fields(project, region, buckets, others, bucket, looking=looking),
    ]


def request_of(values: Values) -> ImportRequest:
    """Read what was filled in."""
    source = Source(values["source"])
    return ImportRequest(
        source=source,
        model_id=values.get(MODEL_KEYS[source], ""),
        target=_target(values),
        revision=values.get("revision", ""),
        token=values.get("token", ""),
    )


def field_of(request: ImportRequest, error: ManagerError) -> str:
    """Name the field that a failure belongs to; empty for none."""
    where = error.field
    if where == "model_id":
        return MODEL_KEYS[request.source]
    if where == "bucket":
        return _FIELDS_OF_TARGET.get(request.target.kind, "bucket")
    return where if where in {"revision", "token", "region"} else ""


def _target(values: Values) -> Target:
    chosen = values["bucket"]
    if chosen == CREATE:
        return Target(TargetKind.CREATE, values.get("new_bucket", ""), values.get("region", ""))
    if chosen == ADOPT:
        return Target(TargetKind.ADOPT, values.get("adopted", ""))
    return Target(TargetKind.EXISTING, chosen)


def _model_field(source: Source, suggested: Sequence[Suggestion], value: str) -> Field:
    named = [
        f"{each.id} ({bytes_text(each.size)})" if each.size else each.id
        for each in suggested[:_NAMED]
    ]
    return Field(
        MODEL_KEYS[source],
        "Model ID",
        required=True,
        value=value or None,
        placeholder=_EXAMPLES[source].split(",", maxsplit=1)[0],
        help=f"For example {', '.join(named)}." if named else f"For example {_EXAMPLES[source]}.",
        suggestions=tuple(Option(each.id, _remark(each)) for each in suggested),
        max_length=500,
        group="Model",
        show_when=("source", source.value),
    )


def _remark(suggestion: Suggestion) -> str:
    parts = [bytes_text(suggestion.size)] if suggestion.size else []
    return ", ".join([*parts, *(["gated"] if suggestion.gated else [])])


def _bucket_fields(
    project: str,
    region: str,
    buckets: Sequence[BucketModels],
    others: Sequence[BucketListing],
    bucket: str,
    *,
    looking: bool,
) -> list[Field]:
    usable = [each for each in buckets if not each.problem]
    choices = [Option(each.name, f"{each.name} ({each.location})") for each in usable]
    if looking and not usable:  # a new one is proposed only where there is none
        choices.append(_LOOKING)
    choices.append(Option(CREATE, "Create a bucket"))
    if others:
        choices.append(Option(ADOPT, "Use another bucket of this project"))
    return [
        Field(
            "bucket",
            "Where the model goes",
            "select",
            options=tuple(choices),
            required=True,
            value=bucket or None,
            group="Bucket",
        ),
        Field(
            "new_bucket",
            "Name",
            required=True,
            value=f"{project}-models" if not usable and not looking else None,
            placeholder=f"{project}-models",
            help="Shared by all of Google Cloud, so it must be unique. The bucket gets uniform "
            "access, and can never be made public.",
            max_length=222,
            group="Bucket",
            show_when=("bucket", CREATE),
        ),
        Field(
            "region",
            "Region",
            "select",
            options=tuple(Option(r, regions.label(r)) for r in regions.offered(region)),
            help="Regions with GPUs come first: a service reads its model from its own region.",
            group="Bucket",
            show_when=("bucket", CREATE),
        ),
        Field(
            "adopted",
            "Name",
            required=True,
            suggestions=tuple(Option(each.name, each.location) for each in others),
            placeholder=others[0].name if others else "",
            help=f"It gets the file {METADATA_NAME}; what is in it stays as it is.",
            max_length=222,
            group="Bucket",
            show_when=("bucket", ADOPT),
        ),
    ]
