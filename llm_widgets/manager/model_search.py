"""Models of all hubs whose ids hold a text, each with the GPUs that it fits into."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from llm_widgets import hubs
from llm_widgets.config import settings
from llm_widgets.domain.found_models import LIMIT, MOST, SORTS, FoundModel, Search
from llm_widgets.domain.memory.model import FACT
from llm_widgets.domain.tables import Listing, Shown, Values
from llm_widgets.errors import InvalidInputError, ManagerError
from llm_widgets.gcp.client.parallel import outcomes
from llm_widgets.hubs import registry
from llm_widgets.manager import estimating

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_widgets.config import Settings
    from llm_widgets.manager.estimating import Fit

_COLUMNS = (
    *("id", "source", "parameters", "size", "license", "gated", "downloads", "task", "changed"),
    "fits_with_tokens",
)
_LOOKED_INTO = 6
"""Quantized versions of each hub whose headers are read: some ten requests each."""

_LONGEST_TEXT = 200  # characters; no id is longer
_OPEN = "Its files must be looked into: llm-widgets estimate does it."
_UNKNOWN = "How much memory it needs is not known."


class PartlyFoundWarning(UserWarning):
    """A hub did not answer a search; what the others have is there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search of the hubs gave.

    Attributes
    ----------
    failed
        Why hubs, or parts of them, did not answer: what these have is missing among the models.
    is_more
        Whether a higher limit finds more.
    """

    models: tuple[FoundModel, ...]
    failed: tuple[ManagerError, ...] = ()
    is_more: bool = False


@dataclass(frozen=True, slots=True)
class FoundFit(Shown):
    """A model that was found, and which GPUs it fits into.

    Attributes
    ----------
    fits
        For each GPU; empty where that was not asked for, or can't be told.
    reason
        Why it can't be told; empty otherwise.
    can_look
        Whether looking into its files may tell more: see ``inspect`` of :func:`fit`.
    """

    model: FoundModel
    fits: tuple[Fit, ...] = ()
    reason: str = ""
    can_look: bool = True

    @property
    def into(self) -> dict[str, int] | None:
        """The longest context, in tokens, of each GPU that it fits into; ``None`` for unknown."""
        if not self.fits or any(_is_open(fit) for fit in self.fits):
            return None
        return {
            fit.deployment.accelerator: fit.memory.longest_context
            for fit in self.fits
            if fit.memory and fit.memory.fits
        }

    def shown(self) -> Values:
        """Return what a list of models tells of it."""
        found, into = self.model, self.into
        fits = (
            "unknown"
            if into is None
            else "; ".join(f"{gpu} {tokens:,}" for gpu, tokens in into.items())
        )
        return {
            "id": found.id,
            "source": found.source,
            "parameters": found.parameters,
            "size": found.size,
            "license": found.license,
            "gated": found.gated,
            "downloads": found.downloads,
            "task": found.task,
            "changed": found.changed,
            "quantization": found.quantization,
            "base": found.base,
            "fits_with_tokens": fits or "none",
            "longest_context": into,
            "reason": self.reason,
        }


def find(
    text: str = "",
    *,
    source: str = "",
    task: str = "",
    sort: str = SORTS[0],
    limit: int = LIMIT,
    token: str = "",
    fits: bool = True,
    chosen: Settings | None = None,
) -> Listing[FoundFit]:
    """Search the hubs for models, the most downloaded first. It takes no account of Google Cloud.

    Parameters
    ----------
    text
        Part of an id; any model when left out.
    source
        Id of a hub; all of them when left out.
    task
        In the hub's own word, for example ``text-generation``.
    sort
        ``downloads``, ``likes``, ``trending``, ``changed`` or ``created``.
    limit
        Models at most, up to 200.
    token
        A hub's token, for its higher limits and for private models; only with ``source``.
    fits
        Whether to tell which GPUs each model fits into: by the weights that the list counts, and
        one further request for each model. Where that does not do, as for GGUF files and packed
        weights, it stays unknown; :func:`.estimating.estimate` looks into the files.

    Raises
    ------
    ManagerError
        No hub answered.

    Warns
    -----
    PartlyFoundWarning
        A hub, or a part of it, did not answer, and another did.

    Examples
    --------
    >>> find("tiny-llama", source="huggingface")[0].into
    {'nvidia-l4': 512, 'nvidia-rtx-pro-6000': 512}
    """
    using = chosen or settings()
    given = _token(source, token, using)
    wanted = Search(text, task=task.strip(), sort=sort, limit=limit)
    answer = search(wanted, using, source=source, token=given)
    for error in answer.failed:
        warnings.warn(str(error), PartlyFoundWarning, stacklevel=2)
    if not fits:
        return Listing([FoundFit(each) for each in answer.models], _COLUMNS[:-1])
    looked = outcomes(lambda model: fit(model, using, given), answer.models)
    return Listing([outcome.value for outcome in looked if outcome.value], _COLUMNS)


def search(
    wanted: Search, using: Settings, *, source: str = "", token: str = "", token_of: str = ""
) -> Answer:
    """Search one hub, or all at once.

    Sorted by downloads, models of which none are told come first, as those of Ollama's own
    registry, and are a quarter of the answer at most while there are others.

    Parameters
    ----------
    source
        Id of a hub; all of them when left out.
    token_of
        Id of the hub that the token is for; ``source`` when left out.

    Raises
    ------
    ManagerError
        No hub answered, or what is searched for can't be.
    """
    wanted = _checked(wanted)
    asked = replace(wanted, limit=wanted.limit + 1)  # one more tells that there are more
    owner = token_of or source
    answers = outcomes(
        lambda hub: hubs.find(hub, asked, using, token if hub == owner else ""),
        [source] if source else [hub.id for hub in registry.HUBS],
    )
    found = [answer.value for answer in answers if answer.value]
    failed = [answer.error for answer in answers if answer.error]
    if not found:
        raise failed[0]
    failed += [error for each in found for error in each.failed]
    lists = [each.models for each in found]
    ordered = _by_downloads(lists, wanted.limit) if wanted.sort == SORTS[0] else _in_turn(lists)
    once = tuple({(each.source, each.id): each for each in ordered}.values())
    told = tuple({error.message: error for error in failed}.values())
    return Answer(once[: wanted.limit], told, is_more=len(once) > wanted.limit)


def fit(model: FoundModel, using: Settings, token: str = "", *, inspect: bool = False) -> FoundFit:
    """Tell which GPUs a model fits into.

    Parameters
    ----------
    inspect
        Whether to read the headers of its files, by some ten requests, where one request does
        not tell it.
    """
    try:
        told = hubs.look(model, using, token)
        if inspect and (told is None or FACT not in told.facts):
            told = hubs.inspect(model.source, model.id, using, token=token)
        if told is None or FACT not in told.facts:
            return FoundFit(model, reason=_UNKNOWN if inspect else _OPEN, can_look=not inspect)
        fits = tuple(estimating.fits_of(told))
    except ManagerError as error:
        return FoundFit(model, reason=error.message, can_look=False)
    reasons = (each.memory.reason for each in fits if each.memory and _is_open(each))
    model = replace(model, size=told.size or model.size)
    return FoundFit(model, fits, next(reasons, ""), can_look=not inspect)


def siblings_that_fit(
    source: str,
    model_id: str,
    *,
    accelerator: str = "",
    token: str = "",
    chosen: Settings | None = None,
) -> Listing[FoundFit]:
    """Return quantized versions of a model that fit into a GPU, the most downloaded first.

    They are those whose authors say that they are, and that an engine loads; the headers of their
    weights are read.

    Parameters
    ----------
    source, model_id
        The model that does not fit.
    accelerator
        The GPU; any when left out.

    Raises
    ------
    ManagerError
        No hub answered.

    Warns
    -----
    PartlyFoundWarning
        A hub, or a part of it, did not answer, and another did.
    """
    using = chosen or settings()
    given = _token(source, token, using)
    found, failed = siblings(source, model_id, using, accelerator=accelerator, token=given)
    for error in failed:
        warnings.warn(str(error), PartlyFoundWarning, stacklevel=2)
    return Listing(found, _COLUMNS)


def siblings(
    source: str, model_id: str, using: Settings, *, accelerator: str = "", token: str = ""
) -> tuple[tuple[FoundFit, ...], tuple[ManagerError, ...]]:
    """Return the siblings of :func:`siblings_that_fit`, and why hubs did not answer."""
    wanted = Search(quantized_from=model_id, limit=_LOOKED_INTO * len(registry.HUBS))
    answer = search(wanted, using, token=token, token_of=source)

    def look(model: FoundModel) -> FoundFit:
        mine = token if model.source == source else ""
        inspected = hubs.inspect(model.source, model.id, using, token=mine)
        fits = tuple(estimating.fits_of(inspected, accelerator=accelerator))
        return FoundFit(replace(model, size=inspected.size), fits, can_look=False)

    looked = (outcome.value for outcome in outcomes(look, answer.models))
    # What can't be read or loaded is no way out.
    return tuple(each for each in looked if each and each.into), answer.failed


def _checked(wanted: Search) -> Search:
    if wanted.sort not in SORTS:
        raise InvalidInputError(
            f"Models can't be sorted by {wanted.sort!r}: use {', '.join(SORTS)}.", field="sort"
        )
    if not 1 <= wanted.limit <= MOST:
        raise InvalidInputError(f"The limit is a number from 1 to {MOST}.", field="limit")
    text = " ".join(wanted.text.split())
    if len(text) > _LONGEST_TEXT:
        raise InvalidInputError(
            f"A search takes up to {_LONGEST_TEXT} characters: enter part of an ID.", field="text"
        )
    return replace(wanted, text=text)


def _token(source: str, token: str, using: Settings) -> str:
    if token and not source:
        raise InvalidInputError("Name the hub that the token is for.", field="source")
    return hubs.token(source, token, using) if token else ""


def _by_downloads(lists: Sequence[Sequence[FoundModel]], limit: int) -> list[FoundModel]:
    found = list(chain.from_iterable(lists))
    untold = [each for each in found if each.downloads is None]
    told = [each for each in found if each.downloads is not None]
    told.sort(key=lambda each: each.downloads or 0, reverse=True)
    first = max(1, limit // 4)
    return [*untold[:first], *told, *untold[first:]]


def _in_turn(lists: Sequence[Sequence[FoundModel]]) -> list[FoundModel]:
    """Take one of each hub in turn: by what they are sorted is not told in all of them."""
    return [each for row in zip_longest(*lists) for each in row if each]


def _is_open(fit: Fit) -> bool:
    """Return whether nobody can tell if a model fits: what surely does not is told."""
    return fit.memory is None or not (fit.memory.known or fit.memory.is_refused)
