"""What must be known of a model to tell how much GPU memory it takes when it is served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from dataclasses import fields as dataclass_fields
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from llm_widgets.domain.memory.measured import MeasuredStart

VERSION = 1
"""Of the form in which :func:`to_facts` writes."""

FACT = "memory"
"""Name of the fact about a model under which the form is kept."""


class UnknownLayersError(ValueError):
    """A model has layers whose memory is not understood; the text says which."""


@dataclass(frozen=True, slots=True)
class Attention:
    """Layers that keep a key and a value of every token for each head.

    Attributes
    ----------
    layers
        How many such layers keep a cache of their own.
    heads
        Heads of keys and values of one layer.
    key, value
        Elements of one head's key and value.
    window
        Tokens that a layer looks back; 0 for all.
    """

    layers: int
    heads: int
    key: int
    value: int
    window: int = 0


@dataclass(frozen=True, slots=True)
class Latent:
    """Layers that keep one compressed vector of every token (multi-head latent attention).

    Attributes
    ----------
    width
        Elements of the vector, ``kv_lora_rank + qk_rope_head_dim``: keys and values are both
        computed from it, so it is kept once and not twice.
    index
        Elements of the key by which sparse attention chooses tokens; 0 without.
    """

    layers: int
    width: int
    index: int = 0


@dataclass(frozen=True, slots=True)
class Recurrent:
    """Layers that keep a state of one size, however long the text (Mamba, linear attention).

    Attributes
    ----------
    convolution, state
        Elements of the two parts of one layer's state.
    state_bytes
        Bytes of an element of ``state`` in vLLM; llama.cpp always takes four.
    """

    layers: int
    convolution: int
    state: int
    state_bytes: int = 2


Layers: TypeAlias = Attention | Latent | Recurrent

_KINDS: dict[str, type[Attention | Latent | Recurrent]] = {
    "attention": Attention,
    "latent": Latent,
    "recurrent": Recurrent,
}


_LARGEST = 1 << 53
"""Bytes or elements beyond those of any model, and the largest whole number that JSON keeps."""

_TEXTS: dict[Any, type] = {"str": str, "bool": bool}

_Made = TypeVar("_Made", bound="MemoryModel | Layers")


@dataclass(frozen=True, slots=True)
class MemoryModel:
    """A model as the arithmetic of memory sees it.

    Attributes
    ----------
    weights
        Bytes of the tensors that an engine loads into the GPU.
    host_weights
        Bytes of those that llama.cpp leaves in the memory of the CPU.
    layers
        Layers with a cache or a state, like ones together; those that use another layer's
        cache are in none.
    hidden, intermediate, vocab, heads
        Width of the model; width of what is computed of one token between two layers, summed
        over the experts that are used; tokens of the vocabulary; heads of queries.
    context_length
        Tokens that the model was made for; 0 when not told.
    quantization
        Method of the weights, for example ``fp8``, ``awq`` or ``mxfp4``; empty for none.
    pictures
        Whether it takes pictures or sounds too.
    architecture
        Of a GGUF file, as it tells: engines lay out the caches of some in ways of their own.
    experts
        Experts that work on each token; 0 where all of a layer does.
    positions
        Elements of the tables of rotary positions that an engine makes beside the weights.
    drafts, draft_layers
        Bytes and layers of the heads that guess further tokens, which are loaded where an engine
        is told so.
    unknown
        Why its memory can't be told; empty when it can.
    starts
        What engines measured when they started with it: no part of its facts.
    """

    weights: int
    layers: tuple[Layers, ...]
    hidden: int
    intermediate: int
    vocab: int
    heads: int
    host_weights: int = 0
    context_length: int = 0
    quantization: str = ""
    pictures: bool = False
    architecture: str = ""
    experts: int = 0
    positions: int = 0
    drafts: int = 0
    draft_layers: int = 0
    unknown: str = ""
    starts: tuple[MeasuredStart, ...] = ()

    @property
    def doubt(self) -> str:
        """What makes an estimate for the model less sure than others; empty for nothing."""
        if self.recurrent:
            return "How engines hold layers with a state changes from version to version."
        if self.pictures:
            return "What reading a picture takes differs from model to model."
        return ""

    @property
    def recurrent(self) -> tuple[Recurrent, ...]:
        """The layers with a constant state."""
        return tuple(layer for layer in self.layers if isinstance(layer, Recurrent))

    @property
    def growing(self) -> tuple[Attention | Latent, ...]:
        """The layers whose cache grows with the text."""
        return tuple(layer for layer in self.layers if not isinstance(layer, Recurrent))


def grouped(layers: list[Layers]) -> tuple[Layers, ...]:
    """Return layers with like ones together; given are single ones, in the model's order."""
    counts: dict[Layers, int] = {}
    for layer in layers:
        counts[layer] = counts.get(layer, 0) + layer.layers
    return tuple(replace(layer, layers=count) for layer, count in counts.items())


def to_facts(model: MemoryModel) -> dict[str, Any]:
    """Write a model as what JSON can hold; :func:`from_facts` reads it."""
    names = {kind: name for name, kind in _KINDS.items()}
    layers = [{"kind": names[type(layer)], **asdict(layer)} for layer in model.layers]
    fields = {name: value for name, value in asdict(model).items() if name != "starts"}
    return {FACT: {"version": VERSION, **fields, "layers": layers}}


def from_facts(facts: Mapping[str, Any]) -> MemoryModel | None:
    """Read the model from the facts that were kept when it was imported.

    Returns
    -------
    MemoryModel or None
        ``None`` where the facts say nothing of memory, were written by a later version, or are
        no facts of any model.
    """
    data = facts.get(FACT)
    if not isinstance(data, Mapping) or data.get("version") != VERSION:
        return None
    fields = {name: value for name, value in data.items() if name not in ("version", "starts")}
    try:
        fields["layers"] = tuple(_layer(entry) for entry in fields["layers"])
        return _plausible(MemoryModel(**fields))
    except (KeyError, TypeError, ValueError):
        return None


def _layer(entry: Mapping[str, Any]) -> Layers:
    fields = dict(entry)
    return _plausible(_KINDS[fields.pop("kind")](**fields))


def _plausible(made: _Made) -> _Made:
    """Check the fields of what was read: anybody may have written it.

    Raises
    ------
    ValueError
        One is of another type, below zero or beyond any model.
    """
    for each in dataclass_fields(made):
        value = getattr(made, each.name)
        if each.type == "int" and not (type(value) is int and 0 <= value <= _LARGEST):
            raise ValueError(f"{each.name} can't be {value!r}")
        if each.type in _TEXTS and type(value) is not _TEXTS[each.type]:
            raise ValueError(f"{each.name} can't be {value!r}")
    return made
