"""Weights that are read from ``gs://``: where that is proposed, how it is chosen and taken off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.manifest import ModelManifest
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.units import GIB
from llm_widgets.engines import registry, streaming
from llm_widgets.errors import InvalidInputError
from llm_widgets.manager.offering import with_streaming
from llm_widgets.page.services.container_entries import STREAM
from llm_widgets.page.services.deploy_values import deployment_from, followers, values_of
from llm_widgets.page.services.form_entry import Shown
from llm_widgets.serving import checks, codec, recipes
from tests.unit.codec_cases import DEPLOYMENTS

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.base import Engine

L4, RTX = "nvidia-l4", "nvidia-rtx-pro-6000"
MOUNTED, ADDRESS = "/gcs/my-models/vllm", "gs://my-models/huggingface/x/rev"


def vllm() -> Engine:
    found = registry.of("vllm")
    assert found
    return found


def offered(size: int, gpu: str, **verdict: object) -> Deployment:
    record = ModelRecord(
        "org/m", "huggingface", ModelStatus.READY, size=size, prefix="huggingface/x/rev"
    )
    loading = {"engine": "vllm", "task": "chat", "source": "", "notes": [], **verdict}
    now = datetime(2026, 11, 1, tzinfo=UTC)
    manifest = ModelManifest(
        "i", "huggingface", "org/m", "r", "p", (), now, now, facts={"loading": loading}
    )
    return recipes.defaults(
        record,
        project="my-project",
        region="europe-west4",
        bucket="my-models",
        accelerator=gpu,
        manifest=manifest,
    )


def unstreamable(made: Deployment) -> Deployment:
    return replace(made, args=tuple(word for word in made.args if "load-format" not in word))


@pytest.mark.parametrize(
    ("size", "gpu", "verdict", "first"),
    [
        (60 * GIB, RTX, {}, ADDRESS),
        (16 * GIB, RTX, {"task": "chat with pictures"}, ADDRESS),
        (16 * GIB - 1, RTX, {}, MOUNTED),
        (20 * GIB, L4, {}, MOUNTED),
        (60 * GIB, RTX, {"format": "mistral"}, MOUNTED),
        (60 * GIB, RTX, {"task": "embeddings"}, MOUNTED),
        (0, RTX, {}, MOUNTED),
    ],
)
def test_it_is_proposed_where_figures_are_known(
    size: int, gpu: str, verdict: dict[str, object], first: str
) -> None:
    made = offered(size, gpu, **verdict)
    assert made.args[0] == first
    assert made.mount_path == MOUNTED
    assert streaming.is_on(vllm(), made) is (first == ADDRESS)
    assert "--load-format=runai_streamer" in made.args
    assert made.environment["RUNAI_STREAMER_MEMORY_LIMIT"] == str(4 * GIB)
    assert checks.problems(made) == []


def test_the_mount_stays_and_the_service_says_the_same() -> None:
    made = offered(60 * GIB, RTX)
    read = codec.deployment_of(codec.document(made))
    assert (read.bucket, read.folder, read.mount_path) == (
        "my-models",
        "huggingface/x/rev",
        MOUNTED,
    )
    assert streaming.is_on(vllm(), read)
    # Another place of the mount is none of the address's business.
    assert recipes.with_mount_path(made, "/elsewhere").args == made.args


def test_it_is_taken_off_and_chosen() -> None:
    made = offered(60 * GIB, RTX)
    mounted = with_streaming(made, on=False)
    assert mounted == replace(made, args=(MOUNTED, *made.args[1:]))
    assert with_streaming(mounted, on=True) == made
    assert with_streaming(made, on=None) is made
    small = offered(GIB, L4)
    assert with_streaming(small, on=True).args == (ADDRESS, *small.args[1:])


def test_it_follows_the_machine_unless_somebody_chose() -> None:
    small, large = offered(20 * GIB, L4), offered(20 * GIB, RTX)

    def moved(before: Deployment, to: Deployment) -> Deployment:
        wanted = replace(before, accelerator=to.accelerator, cpu=to.cpu)
        return streaming.followed(vllm(), before, wanted, 20 * GIB)

    assert moved(small, large).args[0] == ADDRESS
    assert moved(large, small).args[0] == MOUNTED
    chosen, left_out = with_streaming(small, on=True), with_streaming(large, on=False)
    assert moved(chosen, large).args[0] == ADDRESS
    assert moved(chosen, small).args[0] == ADDRESS
    assert moved(left_out, large).args[0] == MOUNTED
    # What is chosen with the same change is a choice.
    both = replace(with_streaming(small, on=True), cpu=4)
    assert streaming.followed(vllm(), small, both, 20 * GIB) == both


def test_what_can_not_be_streamed_is_refused() -> None:
    for made in (DEPLOYMENTS["ollama"], unstreamable(offered(60 * GIB, L4))):
        assert with_streaming(made, on=False) == made
        with pytest.raises(InvalidInputError, match="can't stream these weights") as refused:
            with_streaming(made, on=True)
        assert refused.value.field == "stream_weights"


def test_the_form_and_its_arguments_say_the_same() -> None:
    made = offered(60 * GIB, RTX)
    values = values_of(made)
    assert values["stream_weights"] is True
    off = deployment_from(made, {**values, "stream_weights": False})
    assert off == with_streaming(made, on=False)
    assert followers(off, values)["args"] == list(off.args)
    typed = deployment_from(made, {**values, "args": [MOUNTED, *made.args[1:]]})
    assert typed == off
    assert followers(typed, values)["stream_weights"] is False


def test_the_form_says_why_and_asks_only_what_can_be() -> None:
    def shown(made: Deployment) -> Shown:
        return Shown(made, made, "europe-west4")

    made = offered(GIB, L4)
    assert STREAM.is_shown(shown(made))
    assert callable(STREAM.help)
    assert "58 GiB took 73 s" in STREAM.help(shown(made))
    assert not STREAM.is_shown(shown(DEPLOYMENTS["ollama"]))
    assert not STREAM.is_shown(shown(unstreamable(offered(GIB, L4))))
