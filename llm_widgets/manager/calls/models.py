"""What Python asks of models: finding, importing and deleting them."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from llm_widgets import hubs
from llm_widgets.domain.found_models import LIMIT
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.tables import Listing
from llm_widgets.errors import Fix, TransferError
from llm_widgets.gcp.storage import buckets
from llm_widgets.manager import (
    bars,
    bucket_models,
    finding,
    importing,
    interrupting,
    model_search,
    remove,
)
from llm_widgets.manager.calls.base import Calls
from llm_widgets.manager.import_check import ImportCheck, ImportRequest, check_import
from llm_widgets.manager.import_target import Target, TargetKind
from llm_widgets.manager.interrupting import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llm_widgets.domain.imports import HubModel
    from llm_widgets.domain.progress import ImportProgress
    from llm_widgets.gcp.storage.buckets import BucketListing


class ModelCalls(Calls):
    """The part of :class:`.Manager` that finds, imports and deletes models."""

    def find(
        self,
        text: str = "",
        *,
        source: str = "",
        task: str = "",
        sort: str = "downloads",
        limit: int = LIMIT,
        token: str = "",
        fits: bool = True,
    ) -> Listing[model_search.FoundFit]:
        """Search the hubs for models, with the GPUs that each fits into.

        See :func:`.model_search.find`, which takes no account of Google Cloud.
        """
        return model_search.find(
            text,
            source=source,
            task=task,
            sort=sort,
            limit=limit,
            token=token,
            fits=fits,
            chosen=self.settings,
        )

    def siblings_that_fit(
        self, source: str, model_id: str, *, accelerator: str = "", token: str = ""
    ) -> Listing[model_search.FoundFit]:
        """Return quantized versions of a model of a hub that fit into a GPU.

        See :func:`.model_search.siblings_that_fit`.
        """
        return model_search.siblings_that_fit(
            source, model_id, accelerator=accelerator, token=token, chosen=self.settings
        )

    def models(self, bucket: str | BucketListing) -> Listing[ModelRecord]:
        """List the models of a bucket."""
        found = finding.models(self.clients, self.project.id, finding.bucket_name(bucket))
        return Listing(found, ("id", "status", "source", "size", "imported_at"))

    def repair_models(self, bucket: str) -> Listing[ModelRecord]:
        """Repair the list of models of a bucket; the damaged one is kept beside it.

        Raises
        ------
        ManagerError
            The bucket refuses.
        """
        bucket_models.repair(self.clients, bucket)
        return self.models(bucket)

    def inspect(
        self,
        source: str,
        model_id: str,
        *,
        revision: str = "",
        token: str = "",
        files: Iterable[str] | None = None,
    ) -> HubModel:
        """Ask a hub for a model: what would be copied, and whether it may be read.

        Parameters
        ----------
        source
            Id of the hub, for example ``"huggingface"`` or ``"ollama"``.
        token
            The hub's token, for gated and private models; ``"HF_TOKEN"`` for the one of that
            variable, ``"hf auth login"`` for the one that was signed in with.
        files
            Paths of the files to copy; those that the engine loads when left out.

        Raises
        ------
        ManagerError
            The model can't be had, or has no such file.
        """
        given = hubs.token(source, token, self.settings)
        found = hubs.inspect(source, model_id, self.settings, token=given, revision=revision)
        return found if files is None else importing.with_files(found, files)

    def check_import(
        self,
        bucket: str,
        source: str,
        model_id: str,
        *,
        revision: str = "",
        token: str = "",
        files: Iterable[str] | None = None,
        create_in: str = "",
        adopt: bool = False,
    ) -> ImportCheck:
        """Prove that a model can be imported; nothing is made, and no byte moves.

        Parameters
        ----------
        source
            Id of the hub, for example ``"huggingface"`` or ``"ollama"``.
        token
            The hub's token, for gated and private models; see :meth:`inspect`.
        files
            Paths of the files to copy; those that the engine loads when left out.
        create_in
            Region in which the bucket is created at the start, where it is missing; empty for a
            bucket that is there.
        adopt
            Whether a bucket that holds no models yet becomes one of models at the start.

        Raises
        ------
        ManagerError
            It can't be imported; see :func:`llm_widgets.manager.import_check.check_import`.
        """
        listed = buckets.list_buckets(self.clients, self.project.id) if create_in else []
        is_new = bool(create_in) and bucket.strip() not in {each.name for each in listed}
        there = TargetKind.ADOPT if adopt else TargetKind.EXISTING
        target = Target(TargetKind.CREATE if is_new else there, bucket, create_in)
        given = hubs.token(source, token, self.settings)
        request = ImportRequest(source, model_id, target, revision, given)
        checked = check_import(self.clients, self.settings, self.project.id, request)
        return checked if files is None else importing.choose(checked, files)

    def import_model(
        self,
        bucket: str | BucketListing,
        source: str,
        model_id: str,
        *,
        watch: Callable[[ImportProgress], None] = lambda _: None,
        progress: bool = True,
        wait: bool = True,
        exist_ok: bool = False,
        token: str = "",
        **choices: Any,
    ) -> ModelRecord:
        """Import a model and wait for it; it goes on if this call is interrupted.

        Calling it again joins an import that runs, and compares the files of one that is done.

        Parameters
        ----------
        watch
            Called about twice a second with how far it is.
        progress
            Whether a bar is shown, in a notebook or on a terminal.
        wait
            Whether to wait until it is done.
        exist_ok
            Whether a model that is in the bucket already is returned without a comparison.
        token
            The hub's token, for gated and private models, see :meth:`inspect`; it is kept in
            Secret Manager for as long as the import runs, and nowhere else.
        **choices
            ``revision``, ``files``, ``create_in`` and ``adopt`` of :meth:`check_import`.

        Raises
        ------
        ManagerError
            The model can't be had, or the import failed.
        """
        given = hubs.token(source, token, self.settings)
        name = finding.bucket_name(bucket)
        checked = self.check_import(name, source, model_id, token=given, **choices)
        if exist_ok and checked.there and checked.is_ready and not checked.is_changed:
            return checked.there
        with interrupting.completed(_import_of(checked.place.target.name, checked.model)):
            import_id = importing.start_import(
                self.clients, self.settings, self.project.id, checked, given
            )
        name = checked.place.target.name
        if not wait:
            return next(each for each in self.models(name) if each.import_id == import_id)
        return self._imported(name, import_id, checked.model, watch, progress=progress)

    @functools.wraps(import_model)
    async def aimport_model(self, *args: Any, **keywords: Any) -> ModelRecord:
        """Do what :meth:`import_model` does, without blocking the event loop."""
        return await asyncio.to_thread(self.import_model, *args, **keywords)

    def resume_import(
        self,
        bucket: str,
        model_id: str,
        *,
        revision: str = "",
        watch: Callable[[ImportProgress], None] = lambda _: None,
        progress: bool = True,
    ) -> ModelRecord:
        """Go on with an import that failed, was cancelled or lost its worker, and wait for it.

        Raises
        ------
        ManagerError
            There is no such import, or it failed again.
        """
        record = finding.unfinished_import(
            self.clients, self.project.id, bucket, model_id, revision
        )
        with interrupting.completed(_import_of(bucket, record)):
            importing.resume(self.clients, self.settings, bucket, record.import_id)
        return self._imported(bucket, record.import_id, record, watch, progress=progress)

    def cancel_import(self, bucket: str, model_id: str, *, revision: str = "") -> None:
        """End an import; what it copied so far is thrown away.

        Raises
        ------
        ManagerError
            There is no such import, or it may not be cancelled.
        """
        record = finding.unfinished_import(
            self.clients, self.project.id, bucket, model_id, revision
        )
        importing.cancel(self.clients, bucket, record.import_id)

    def delete_model(
        self, bucket: str, model_id: str, *, revision: str = "", force: bool = False
    ) -> None:
        """Remove a model's files and its entry; nothing that another model needs.

        Parameters
        ----------
        force
            Whether to remove it though services read it, or that can't be told.

        Raises
        ------
        InUseError
            Services read it.
        ManagerError
            There is no such model, it is being imported, or the bucket refuses.
        """
        record = finding.model(self.clients, self.project.id, bucket, model_id, revision)
        location = "" if force else self._location(bucket)
        remove.remove_model(self.clients, self.project.id, bucket, location, record, force=force)

    def _imported(
        self,
        bucket: str,
        import_id: str,
        model: HubModel | ModelRecord,
        watch: Callable[[ImportProgress], None],
        *,
        progress: bool,
    ) -> ModelRecord:
        """Wait for an import and return its model."""
        with (
            bars.of_import(model.id, shown=progress) as bar,
            interrupting.keeps_running(_import_of(bucket, model)),
        ):
            told = importing.wait(self.clients, bucket, import_id, bars.both(bar, watch))
        ours = (each for each in self.models(bucket) if each.import_id == import_id)
        record = next(ours, None)
        if record is None or record.status is not ModelStatus.READY:
            raise TransferError(
                told.message or f"{model.id} was not imported.",
                cause=told.cause,
                fix=Fix(text=told.fix) if told.fix else None,
            )
        return record


def _import_of(bucket: str, model: HubModel | ModelRecord) -> Work:
    return Work(
        f"The import of {model.id} keeps running.",
        python=f"manager.import_model({bucket!r}, {model.source!r}, {model.id!r})",
        command=f"llm-widgets import {model.source} {model.id} --bucket {bucket}",
    )
