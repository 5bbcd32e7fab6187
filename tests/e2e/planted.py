"""What a person fills in that fails, what the page says of it then, and the button that helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain.models import ModelRecord, ModelStatus
from tests.contract.product import REGION
from tests.contract.served_model import BUCKET, RECORD
from tests.e2e.services_tab import unfold

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

MOUNTED = f"/gcs/{BUCKET}/ollama"
GPUS = "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion"
QWEN = ModelRecord(
    "Qwen/Qwen3-4B", "huggingface", ModelStatus.READY, size=8_044_981_248, prefix="qwen3-4b"
)


def field(label: str, text: str, card: str = "") -> Callable[[Page], None]:
    """Have a field of the form, which may be on a card that is folded, filled in."""

    def plant(page: Page) -> None:
        if card:
            unfold(page, card)
        page.get_by_label(label, exact=True).fill(text)

    return plant


def chosen(label: str, choice: str) -> Callable[[Page], None]:
    """Have a choice of the form made."""

    def plant(page: Page) -> None:
        page.get_by_label(label, exact=True).select_option(choice)

    return plant


def added(button: str, *cells: str) -> Callable[[Page], None]:
    """Have a row added to a list of the form."""

    def plant(page: Page) -> None:
        add = page.get_by_role("button", name=button, exact=True)
        add.click()
        boxes = page.get_by_role("group").filter(has=add).last.get_by_role("textbox")
        for place, text in enumerate(cells, boxes.count() - len(cells)):
            boxes.nth(place).fill(text)

    return plant


def changed(group: str, old: str, new: str) -> Callable[[Page], None]:
    """Have the text of a row changed, or of the value that stands beside it."""

    def plant(page: Page) -> None:
        boxes = page.get_by_role("group", name=group).get_by_role("textbox")
        texts = [box.input_value() for box in boxes.all()]
        boxes.nth(texts.index(old) + ("=" not in old)).fill(new)

    return plant


@dataclass
class Failing:
    """A deployment whose revision fails: what is planted, said, shown as a proof, and pressed."""

    plants: tuple[Callable[[Page], None], ...]
    cause: str
    proof: str
    button: str = "Redeploy with this fix"
    model: str = RECORD.id


FAILING = {
    "image": Failing(
        (field("Image", "docker.io/nobody/nothing:1"),),
        "There is no image docker.io/nobody/nothing:1.",
        "Image 'docker.io/nobody/nothing:1' not found",
    ),
    "mount-option": Failing(
        (
            field("File cache (GiB of memory)", "0", "Storage"),
            added("Add an option", "file-cache-enable-parallel-downloads=true"),
        ),
        "The mount options ask for parallel downloads",
        "file cache should be enabled for parallel download support",
    ),
    "network": Failing(
        (
            lambda page: unfold(page, "Network and labels"),
            chosen("Network", "A subnet (Direct VPC)"),
            field("Subnet (optional)", "nowhere"),
        ),
        "There is no subnetwork nowhere",
        "VPC subnetwork 'nowhere' does not exist",
    ),
    "probe": Failing(
        (
            field("Failures", "1", "Startup probe"),
            field("Period (seconds)", "1"),
            field("Timeout (seconds)", "1"),
        ),
        "The container did not answer on port 11435 within 1 s",
        "probe failed 1 time",
    ),
    "model": Failing(
        (changed("Environment variables", "MODEL", "gone:1b"),),
        "The mounted folder has no model gone:1b.",
        "model 'gone:1b' not found",
    ),
    "folder": Failing(
        (changed("Environment variables", "OLLAMA_MODELS", f"{MOUNTED}/elsewhere"),),
        f"Ollama looks for models in {MOUNTED}/elsewhere, and the bucket is mounted at {MOUNTED}.",
        "read-only file system",
    ),
    "context": Failing(
        (changed("Arguments", "--max-model-len=auto", "--max-model-len=40960"),),
        "A context of 40960 tokens needs 5.62 GiB of GPU memory beside the model, and 4.50 GiB",
        "estimated maximum model length is 32768",
        model=QWEN.id,
    ),
    "gpu-memory": Failing(
        (changed("Arguments", "--max-model-len=auto", "--max-model-len=24576"),),
        "The GPU's memory is full: 1.16 GiB more were needed, 512.06 MiB were free.",
        "CUDA out of memory",
        model=QWEN.id,
    ),
}


@dataclass
class Refused:
    """A deployment that Cloud Run refuses: quotas, what is planted, said, and pressed."""

    quotas: dict[str, int]
    plants: tuple[Callable[[Page], None], ...]
    cause: str
    proof: str
    button: str
    then: tuple[str, str]  # a field of the form, and what it holds afterwards


PLENTY = {"CpuAllocPerProjectRegion": 100_000, "MemAllocPerProjectRegion": 2**40}
REFUSED = {
    "no-gpu-quota": Refused(
        {f"{GPUS}/{REGION}": 0},
        (),
        f"has no quota for NVIDIA L4 (24 GB) in {REGION}",
        "You do not have quota for using GPUs without zonal redundancy",
        "Use us-central1",
        ("Region", "us-central1"),
    ),
    "instances": Refused(
        {GPUS: 3, **PLENTY},
        (field("Maximum instances", "4"),),
        "The service may grow to 4 instances with a GPU each, and the quota of the project in "
        "this region is 3.",
        "Max instances must be set to 3 or fewer",
        "Apply this fix",
        ("Maximum instances", "3"),
    ),
    "redundancy": Refused(
        {},
        (lambda page: page.get_by_role("checkbox", name="Zonal redundancy").check(),),
        "has no quota for GPUs with zonal redundancy",
        "You do not have quota for using GPUs with zonal redundancy",
        "Apply this fix",
        ("Zonal redundancy", "off"),
    ),
    "memory-quota": Refused(
        {},
        (field("Maximum instances", "2"),),
        "All instances together would take 64 GiB of memory, and the quota of the project in this "
        "region is 40 GiB.",
        "MemAllocPerProjectRegion requested: 68719476736 allowed: 42949672960",
        "Apply this fix",
        ("Maximum instances", "1"),
    ),
}
