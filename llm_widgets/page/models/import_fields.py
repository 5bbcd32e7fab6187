"""The fields of the form that imports a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import regions
from llm_widgets.domain.metadata import METADATA_NAME
from llm_widgets.domain.units import bytes_text
from llm_widgets.hubs import registry
from llm_widgets.manager.import_check import ImportRequest
from llm_widgets.manager.import_target import Target, TargetKind
from llm_widgets.widgets.fields import Field, FieldKind, Option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llm_widgets.errors import ManagerError
    from llm_widgets.gcp.storage.buckets import BucketListing
    from llm_widgets.hubs.base import Hub, HubField, Suggestion
    from llm_widgets.manager.bucket_models import BucketModels
    from llm_widgets.widgets.form import Values

ADOPT, CREATE = "+adopt", "+create"  # no bucket can have such a name
_LOOKING = Option("", "Looking for buckets …")
_LONGEST_REVISION = 200  # characters
_NAMED = 4  # suggestions that are written out below the field
_FIELDS_OF_TARGET = {TargetKind.ADOPT: "adopted", TargetKind.CREATE: "new_bucket"}


def import_fields(
    *,
    project: str,
    region: str,
    buckets: Sequence[BucketModels],
    others: Sequence[BucketListing],
    suggested: Mapping[str, Sequence[Suggestion]],
    looking: bool = False,
    source: str = registry.FIRST,
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
            "Source",
            "cards",
            options=tuple(Option(hub.id, hub.form.title, hub.form.text) for hub in registry.HUBS),
            value=source,
            group="Model",
        ),
        *(
            _model_field(hub, suggested.get(hub.id, ()), model_id if hub.id == source else "")
            for hub in registry.HUBS
        ),
        *(field for hub in registry.HUBS for field in _further_fields(hub)),
        *_bucket_fields(project, region, buckets, others, bucket, looking=looking),
    ]


def request_of(values: Values) -> ImportRequest:
    """Read what was filled in."""
    form = registry.get(values["source"]).form
    return ImportRequest(
        source=values["source"],
        model_id=values.get(form.model_key, ""),
        target=_target(values),
        revision=values.get(form.revision.key, "") if form.revision else "",
        token=values.get(form.token.key, "") if form.token else "",
    )


def field_of(request: ImportRequest, error: ManagerError) -> str:
    """Name the field that a failure belongs to; empty for none."""
    form = registry.get(request.source).form
    fields = {
        "model_id": form.model_key,
        "revision": form.revision.key if form.revision else "",
        "token": form.token.key if form.token else "",
        "bucket": _FIELDS_OF_TARGET.get(request.target.kind, "bucket"),
        "region": "region",
    }
    return fields.get(error.field, "")


def _target(values: Values) -> Target:
    chosen = values.get("bucket", "")
    if chosen == CREATE:
        return Target(TargetKind.CREATE, values.get("new_bucket", ""), values.get("region", ""))
    if chosen == ADOPT:
        return Target(TargetKind.ADOPT, values.get("adopted", ""))
    return Target(TargetKind.EXISTING, chosen)


def _model_field(hub: Hub, suggested: Sequence[Suggestion], value: str) -> Field:
    named = [
        f"{each.id} ({bytes_text(each.size)})" if each.size else each.id
        for each in suggested[:_NAMED]
    ]
    return Field(
        hub.form.model_key,
        "Model ID",
        required=True,
        value=value or None,
        placeholder=hub.form.placeholder,
        help=f"For example {', '.join(named)}." if named else f"For example {hub.form.examples}.",
        suggestions=tuple(Option(each.id, _remark(each)) for each in suggested),
        max_length=500,
        group="Model",
        show_when=("source", hub.id),
    )


def _further_fields(hub: Hub) -> list[Field]:
    """Make the fields for a revision and for a token, where the hub takes them."""
    fields = []
    if hub.form.revision:
        fields.append(_further_field(hub, hub.form.revision, "text"))
    if hub.form.token:
        fields.append(_further_field(hub, hub.form.token, "password"))
    return fields


def _further_field(hub: Hub, asked: HubField, kind: FieldKind) -> Field:
    return Field(
        asked.key,
        asked.label,
        kind,
        help=asked.help,
        placeholder=asked.placeholder,
        max_length=_LONGEST_REVISION if kind == "text" else 0,
        group="Model",
        show_when=("source", hub.id),
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
            "Destination bucket",
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
            help="Globally unique name. Uniform access, never public.",
            max_length=222,
            group="Bucket",
            show_when=("bucket", CREATE),
        ),
        Field(
            "region",
            "Region",
            "select",
            options=tuple(Option(r, regions.label(r)) for r in regions.offered(region)),
            help="Choose the region of your services. Regions with GPUs come first.",
            group="Bucket",
            show_when=("bucket", CREATE),
        ),
        Field(
            "adopted",
            "Name",
            required=True,
            suggestions=tuple(Option(each.name, each.location) for each in others),
            placeholder=others[0].name if others else "",
            help=f"Adds the file {METADATA_NAME}; existing objects are kept.",
            max_length=222,
            group="Bucket",
            show_when=("bucket", ADOPT),
        ),
    ]
