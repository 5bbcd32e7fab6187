"""Weights that an engine reads out of the bucket by itself, past the mount.

The mount stays: what is streamed can be read through it again by one change of the arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.streaming import address

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.base import Engine


def can(engine: Engine, deployment: Deployment) -> bool:
    """Return whether the engine can stream the weights of a model, as it is told."""
    streaming = engine.streaming
    return streaming is not None and set(streaming.words) <= set(deployment.args)


def is_on(engine: Engine, deployment: Deployment) -> bool:
    """Return whether weights are streamed."""
    told = engine.folder.told(deployment).rstrip("/")
    return engine.streaming is not None and told == _of(deployment).rstrip("/")


def turned(engine: Engine, deployment: Deployment, *, on: bool) -> Deployment:
    """Return the deployment with its weights streamed, or read through the mount.

    One whose weights can't be streamed stays as it is.
    """
    if is_on(engine, deployment) is on or (on and not can(engine, deployment)):
        return deployment
    return engine.folder.tell(deployment, _of(deployment) if on else deployment.mount_path)


def proposed(engine: Engine, deployment: Deployment, size: int) -> Deployment:
    """Return the deployment with its weights read in the way that is known to be faster.

    Parameters
    ----------
    size
        Bytes of the model.
    """
    streaming = engine.streaming
    on = streaming is not None and streaming.is_faster(size, deployment)
    return turned(engine, deployment, on=on)


def followed(engine: Engine, before: Deployment, after: Deployment, size: int) -> Deployment:
    """Return a changed deployment that reads weights as proposed, where it did so before."""
    was, now = is_on(engine, before), is_on(engine, after)
    is_chosen = was != now or proposed(engine, before, size) != before
    return after if is_chosen else proposed(engine, after, size)


def _of(deployment: Deployment) -> str:
    return address(deployment.bucket, deployment.folder)
