"""The small form between a model and its service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.errors import InvalidInputError
from llm_widgets.state.deploy_form import Choices
from llm_widgets.widgets.dialog import Field, FormDialog, Option, Values

if TYPE_CHECKING:
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment
    from llm_widgets.errors import ManagerError
    from llm_widgets.state.deploy_form import DeployFormState
    from llm_widgets.state.models import ModelsState


class DeployDialog:
    """The form; ``dialog`` is what goes into the page."""

    def __init__(self, form: DeployFormState, models: ModelsState) -> None:
        self._form = form
        self._models = models
        self._defaults: Deployment | None = None
        self.dialog = FormDialog(submit_label="Deploy", busy_label="Asking Cloud Run …", wide=True)
        self.dialog.on_submit(self._submitted)

    def show(self, bucket: str, record: ModelRecord) -> None:
        """Open the form for a model."""
        location = self._models.location(bucket)
        self._defaults = deployment = self._form.defaults(bucket, location, record)
        self.dialog.title = f"Deploy {record.id}"
        gpu = gpus.by_accelerator(deployment.accelerator)
        self.dialog.text = (
            f"{deployment.framework.label} ({deployment.image}) serves it from gs://{bucket}, "
            f"mounted read-only. {_price(deployment) if gpu else ''}"
        ).strip()
        self.dialog.set_fields(_fields(deployment, location))
        self.dialog.show()

    def _submitted(self, values: Values) -> None:
        if self._defaults is None:
            return
        choices = Choices(
            name=values["name"],
            region=values["region"],
            accelerator=values["gpu"],
            max_instances=int(values["max_instances"] or 1),
            concurrency=int(values["concurrency"] or 1),
            grant_access=values["grant_access"],
        )
        self._form.deploy(self._defaults, choices, self.dialog.close, self._failed)

    def _failed(self, error: ManagerError) -> None:
        field = error.field if isinstance(error, InvalidInputError) else ""
        if field in {each["key"] for each in self.dialog.fields}:
            self.dialog.fail(errors={field: error.message})
        else:
            self.dialog.fail(str(error))


def _price(deployment: Deployment) -> str:
    gpu = gpus.by_accelerator(deployment.accelerator)
    assert gpu is not None, "asked for only where there is one"
    dollars = gpus.price_per_hour(
        gpu,
        cpu=deployment.cpu,
        memory_gib=deployment.memory_gib,
        redundant=deployment.zonal_redundancy,
    )
    return (
        f"About ${dollars:.2f} for each hour that an instance is awake "
        f"(tier 1 regions, prices of {gpus.DATA_DATE})."
    )


def _fields(deployment: Deployment, location: str) -> list[Field]:
    regions = dict.fromkeys((deployment.region, *gpus.regions()))
    beside = "The bucket's own region: reads are fast and free."
    apart = f"The bucket is in {location}, where Cloud Run has no GPU: reads cross regions."
    return [
        Field("name", "Service name", required=True, value=deployment.name, max_length=49),
        Field(
            "region",
            "Region",
            "select",
            value=deployment.region,
            options=tuple(
                Option(region, f"{region} (bucket)" if region == location else region)
                for region in regions
            ),
            help=beside if location == deployment.region else apart,
        ),
        Field(
            "gpu",
            "GPU",
            "select",
            value=deployment.accelerator,
            options=tuple(Option(gpu.accelerator, gpu.label) for gpu in gpus.GPUS),
        ),
        Field(
            "max_instances",
            "Most instances",
            "number",
            required=True,
            value=deployment.max_instances,
            minimum=1,
            maximum=100,
            help="Each has a GPU of its own. With none in use, none runs and none costs.",
        ),
        Field(
            "concurrency",
            "Requests at once per instance",
            "number",
            required=True,
            value=deployment.concurrency,
            minimum=1,
            maximum=1000,
        ),
        Field(
            "grant_access",
            f"Let {deployment.service_account} read the bucket",
            "checkbox",
            value=True,
            help="Adds roles/storage.objectViewer on this bucket; without it the mount fails.",
        ),
    ]
