"""What Python does with services that are there: who calls them, whether they run, ending them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llm_widgets.manager import adopting, leasing, managed, pausing, remove
from llm_widgets.manager import callers as who_calls
from llm_widgets.manager.calls.services import ServiceCalls

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.adoption import LabelChange
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.domain.tables import Listing
    from llm_widgets.errors import ManagerError
    from llm_widgets.manager.calls.base import Named


class UpkeepCalls(ServiceCalls):
    """The part of :class:`.Manager` that pauses, adopts and deletes services, and opens them."""

    def pause(
        self, service: Named, *, wait: bool = True, watch: Callable[[str], None] = lambda _: None
    ) -> ServiceSummary:
        """Pause a service: it runs no instances, and its callers are refused.

        Nothing of it is deleted, no revision is made, and what it scaled between is kept with it.
        Requests that run may go on for some time.

        Parameters
        ----------
        wait
            Whether to wait until Cloud Run has carried it out.
        watch
            Called with what Cloud Run says of it, at each look.

        Raises
        ------
        ManagerError
            It may not be changed.

        Examples
        --------
        >>> manager.pause("my-service").state
        <ServiceState.PAUSED: 'Paused'>
        """
        name = self._name(service)
        pausing.pause(self.clients, name)
        if wait:
            pausing.settle(self.clients, name, watch)
        return self.service(name)

    def resume(
        self, service: Named, *, wait: bool = True, watch: Callable[[str], None] = lambda _: None
    ) -> ServiceSummary:
        """Resume a service that is paused: it scales by itself again, as it did before.

        Parameters
        ----------
        wait, watch
            See :meth:`pause`.

        Raises
        ------
        InvalidInputError
            It is not paused.
        ManagerError
            It may not be changed.
        """
        name = self._name(service)
        pausing.resume(self.clients, name)
        if wait:
            pausing.settle(self.clients, name, watch)
        return self.service(name)

    def lease(
        self,
        service: Named,
        at: datetime | timedelta | None,
        *,
        untold: Callable[[ManagerError], object] = lambda _: None,
    ) -> ServiceSummary:
        """Have a service paused by itself, or take that off again.

        A job of Cloud Scheduler does it. Where that can't be had, the time is kept with the
        service and shown, and nothing pauses it: ``lease.is_scheduled`` of the answer tells.

        Parameters
        ----------
        at
            When, or after how long; ``None`` takes it off. A time without a zone is of this
            machine's.
        untold
            Called with why Cloud Scheduler does not do it.

        Raises
        ------
        InvalidInputError
            The time is over, or more than 90 days from now; the service is paused, or others
            deployed it and nobody adopted it.
        ManagerError
            It may not be changed.

        Examples
        --------
        >>> from datetime import timedelta
        >>> manager.lease("my-service", timedelta(hours=4)).lease.is_scheduled
        True
        """
        name = self._name(service)
        if at is None:
            leasing.end(self.clients, name)
        else:
            when = datetime.now(UTC) + at if isinstance(at, timedelta) else at
            if failure := leasing.lease(self.clients, name, when):
                untold(failure)
        return self.service(name)

    def adopt(
        self, service: Named, *, engine: str = "", dry_run: bool = False
    ) -> Listing[LabelChange]:
        """Adopt a service that others deployed, so that it can be paused, changed and deleted here.

        Only its labels change: no revision is made, and nothing restarts. :meth:`release` undoes
        it. What others deploy it with may set its labels back.

        Parameters
        ----------
        engine
            Id of its engine; the one that is recognised when left out.
        dry_run
            Whether to tell only what would be changed.

        Returns
        -------
        Listing
            The labels that were changed.

        Raises
        ------
        InvalidInputError
            It is managed here already, or its engine is not known.
        ManagerError
            It may not be changed.

        Examples
        --------
        >>> print(manager.adopt("my-service", dry_run=True))
        """
        found = self.service(service)
        if dry_run:
            return adopting.planned(self.clients, found, engine)
        return adopting.adopt(self.clients, found.name, engine)

    def release(self, service: Named) -> Listing[LabelChange]:
        """Undo the adoption of a service: its labels are what they were before.

        Returns
        -------
        Listing
            The labels that were changed.

        Raises
        ------
        InvalidInputError
            It was not adopted.
        ManagerError
            It may not be changed.
        """
        return adopting.release(self.clients, self._name(service))

    def let_in(self, service: Named, member: str, *, everybody: bool = False) -> None:
        """Let a member call a service.

        Parameters
        ----------
        everybody
            Whether ``member`` may be ``allUsers`` or ``allAuthenticatedUsers``: everybody who
            knows the URL may use the model then, and you pay for it.

        Raises
        ------
        ManagerError
            It is no member, means everybody, or the policy may not be changed; others deployed the
            service, and nobody adopted it.
        """
        found = self.service(service)
        managed.refuse_unmanaged(found.name, is_managed=found.managed)
        who_calls.add(self.clients, found.name, member, everybody=everybody)

    def delete(
        self,
        service: Named,
        *more: Named,
        with_model: bool = False,
        ended: Callable[[ServiceSummary, ManagerError | None], object] = lambda _, _error: None,
    ) -> None:
        """Delete one service or several at the same time, and wait until they are gone.

        One that can't be deleted stops no other.

        Parameters
        ----------
        with_model
            Whether the models that they serve are removed from their buckets afterwards.
        ended
            Called for each service once it is gone, or with why it failed; in any thread.

        Raises
        ------
        NotFoundError
            There is no service of one of the names; nothing was deleted.
        ConflictError
            A model was to go, and other services read it too; nothing was deleted.
        ManagerError
            A service is gone already, or may not be deleted. Of several, it tells which, and why.

        Examples
        --------
        >>> manager.delete("gemma", "qwen")
        """
        named = [self.service(each) if isinstance(each, str) else each for each in (service, *more)]
        found = list({each.name: each for each in named}.values())
        records = {each.name: remove.model_of(self.clients, each) for each in found if with_model}
        failed = remove.remove_services(self.clients, found, records, ended)
        failure = remove.failure_of(failed, len(found))
        if failure:
            raise failure
