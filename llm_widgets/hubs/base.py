"""What a hub is: a place that models come from. All that knows one hub lies in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

from llm_widgets.domain import folders
from llm_widgets.domain.found_models import FoundModel
from llm_widgets.errors import ManagerError, TransferError

if TYPE_CHECKING:
    from llm_widgets.config import Endpoint, Settings
    from llm_widgets.domain.found_models import Search
    from llm_widgets.domain.imports import HubFile, HubModel


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A model that exists.

    Attributes
    ----------
    size
        Bytes that an import copies, rounded; 0 when not known.
    gated
        Whether its licence must be accepted first.
    """

    id: str
    size: int = 0
    gated: bool = False


@dataclass(frozen=True, slots=True)
class HubField:
    """A further field that the import form has for a hub.

    Attributes
    ----------
    key
        Its key among the form's values; no other hub may use it.
    help
        One line below it.
    """

    key: str
    label: str
    help: str
    placeholder: str = ""


@dataclass(frozen=True, slots=True)
class HubForm:
    """What the import form says of a hub, and asks for.

    Attributes
    ----------
    title, text
        On the card by which the hub is chosen.
    model_key
        Key of the field for the model's id; no other hub may use it.
    placeholder
        An id, shown in the empty field.
    examples
        Ids to be read after "For example", where no model is suggested.
    revision, token
        Fields for a revision and for a token; ``None`` where the hub takes none.
    """

    title: str
    text: str
    model_key: str
    placeholder: str
    examples: str
    revision: HubField | None = None
    token: HubField | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search of one hub gave.

    Attributes
    ----------
    failed
        Why a part of the hub did not answer: what it has is missing among the models.
    """

    models: tuple[FoundModel, ...] = ()
    failed: tuple[ManagerError, ...] = ()


class Hub(Protocol):
    """A place that models come from.

    A hub is added by a folder with a class that derives from this one, and by a line in
    :mod:`llm_widgets.hubs.registry`. What a hub answers becomes checked values in its folder;
    its refusals become errors with a cause and a fix there.

    Attributes
    ----------
    id
        How buckets, plans and Python calls name the hub; it is also the folder of its models
        in a bucket, so it never changes.
    label
        The name as people write it.
    endpoint
        Where the hub is asked.
    hosts
        Hosts of the pages whose addresses :meth:`inspect` reads, in lower case.
    form
        What the import form says of it.
    can_choose_files
        Whether a person may copy other files than those that :meth:`inspect` chose.
    """

    id: str
    label: str
    endpoint: Endpoint
    hosts: frozenset[str]
    form: HubForm
    can_choose_files: bool = False

    def inspect(
        self,
        text: str,
        settings: Settings,
        *,
        token: str = "",
        revision: str = "",
        look_inside: bool = True,
    ) -> HubModel:
        """Find a model and prove that it can be read: the pre-flight of an import.

        Parameters
        ----------
        text
            What was typed: an id, or the address of a page of ``hosts``.
        token
            The hub's token, or empty. It is sent to the hub and kept nowhere.
        revision
            Branch, tag or commit; empty for the newest.
        look_inside
            Whether the headers of the weights are read too, which tell how much memory the
            model takes: a request for each file.

        Raises
        ------
        ManagerError
            The model does not exist, may not be read, or can't be served; or the hub is away.
            Its ``field`` is ``model_id``, ``revision`` or ``token`` where one of them is wrong.
        """
        ...

    def token(self, text: str, settings: Settings) -> str:
        """Return a token as Python gives it; a hub may know names of places that hold one.

        Raises
        ------
        InvalidInputError
            The place that is named holds none.
        """
        del settings
        return text.strip()

    def newest_revision(self, model_id: str, settings: Settings) -> str:
        """Return the revision that an import of this model would have now.

        Raises
        ------
        ManagerError
            The model is gone, may not be read without a token, or the hub is away.
        """
        ...

    def suggest(self, query: str, settings: Settings) -> tuple[Suggestion, ...]:
        """Return models that exist and whose id contains what was typed, smallest first.

        Raises
        ------
        ManagerError
            The hub is away, or refuses.
        """
        ...

    def find(self, wanted: Search, settings: Settings, token: str = "") -> Found:
        """Search for models; a hub that has no list of them gives those that it suggests.

        Raises
        ------
        ManagerError
            The hub is away, refuses, or asks to wait.
        """
        del token
        if wanted.task or wanted.quantized_from:
            return Found()
        suggested = self.suggest(wanted.text, settings)[: wanted.limit]
        return Found(
            tuple(
                FoundModel(self.id, each.id, size=each.size or None, gated=each.gated or None)
                for each in suggested
            )
        )

    def look(self, model: FoundModel, settings: Settings, token: str = "") -> HubModel | None:
        """Read by one request what tells whether a model that was found fits.

        Returns
        -------
        HubModel or None
            With the facts that memory is computed from, and without files; ``None`` where one
            request does not tell it, so that the model must be inspected.

        Raises
        ------
        ManagerError
            The model may not be read, or the hub is away.
        """
        del model, settings, token
        return None

    def folder(self, model: HubModel) -> str:
        """Return where a model lies below the hub's folder in a bucket, one for each revision.

        Raises
        ------
        TransferError
            Its files can't be laid out.
        """
        ...

    def page(self, model_id: str, settings: Settings) -> str:
        """Return the address of a model's page for people; empty where it has none."""
        ...

    def is_id(self, model_id: str) -> bool:
        """Return whether a text is the normal form of a model's id, as a plan has it."""
        return folders.is_plain(model_id)

    def file_url(self, model_id: str, revision: str, file: HubFile, settings: Settings) -> str:
        """Return where the bytes of a file are that has none of its own.

        Plans lie in buckets, where anybody may have written them: an address of theirs is not
        believed. A hub that can't derive it takes what lies at its own endpoint.

        Raises
        ------
        TransferError
            The file is not one of the hub.
        """
        del model_id, revision
        endpoint = settings.endpoint(self.endpoint)
        path = file.url.removeprefix(f"{endpoint}/")
        if path == file.url or {".", ".."} & set(unquote(path).split("/")):
            raise TransferError(f"{file.path} does not lie at {endpoint}.")
        return file.url

    def check_file(self, file: HubFile) -> None:
        """Check that a file can be had over HTTP; a hub without limits needs no such method.

        Raises
        ------
        TransferError
            It can't be.
        """
        del file
