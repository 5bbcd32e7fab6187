"""The Services tab: what the product has deployed, and what else serves models."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from traitlets import Bool, Dict, HasTraits, Instance, Tuple

from llm_widgets.domain.services import ServiceState, ServiceSummary
from llm_widgets.errors import DeniedError, ManagerError, RateLimitError
from llm_widgets.gcp.client.parallel import Outcome
from llm_widgets.gcp.run import service_list
from llm_widgets.gcp.run.service_list import Others
from llm_widgets.manager import remove, spreading
from llm_widgets.page.background import Latest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.page.session import Session

POLL_SECONDS = 2.0
CHANGING = (ServiceState.DEPLOYING, ServiceState.DELETING)


class ServicesState(HasTraits):
    """The services of the project.

    Attributes
    ----------
    services
        In the order of their names, those that others deployed among them. Of a region that does
        not answer, what was there last.
    unreachable, denied
        ``(region, why)`` of the regions that did not answer, and of those whose services this
        identity may not see.
    loading
        Whether a region is still waited for.
    loaded
        Whether all regions have answered once, or failed to.
    error
        Why the last list could not be had at all.
    not_deleted
        Resource name to why deleting a service failed, until that is dismissed or tried again.
    """

    services: Tuple = Tuple()
    unreachable: Tuple = Tuple()
    denied: Tuple = Tuple()
    loading = Bool(default_value=False)
    loaded = Bool(default_value=False)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)
    not_deleted: Dict = Dict()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._latest = Latest()
        self._polling = False
        self._regions: dict[str, Outcome[str, tuple[ServiceSummary, ...]]] = {}
        self._lock = threading.RLock()
        self._deleting: set[str] = set()
        # Whether a new grant is waited for, by the services that are looked after.
        self._watched: dict[str, bool] = {}
        self._removed: list[Callable[[], None]] = []
        session.observe(self._project_changed, "project")

    def find(self, name: str) -> ServiceSummary | None:
        """Return the service with a resource name, or ``None`` when it is not there any more."""
        return next((service for service in self.services if service.name == name), None)

    def on_model_removed(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when a model's files went with a service."""
        self._removed.append(listener)

    def refresh(self) -> None:
        """Ask for the services of all regions; each shows as soon as it answers."""
        project = self._session.project_id
        if not project:
            return
        fresh = self._latest.begin()
        self.loading = True

        def work() -> None:
            for some in service_list.by_region(
                self._session.clients, project, others=Others.RECOGNISED
            ):
                if not fresh():
                    return
                self._take(some)

        def then(_: object) -> None:
            if fresh():
                self._done(None)
                self._follow_changes()

        def failed(error: ManagerError) -> None:
            if fresh():
                self._done(error)

        self._session.background.run(work, then, failed)

    def add(self, service: ServiceSummary) -> None:
        """Show a service that was just created, before a list tells of it."""
        with self._lock:
            region = self._regions.get(service.region, Outcome(service.region, ()))
            others = [each for each in region.value or () if each.name != service.name]
            self._regions[service.region] = replace(region, value=(*others, service))
        self._take([])

    def look_after(self, name: str) -> None:
        """Have a service deployed again while it fails for want of what was just granted.

        Parameters
        ----------
        name
            Its resource name.
        """
        again = spreading.Redeployment(self._session.clients, name)
        self._watched = {**self._watched, name: False}

        def look() -> bool:
            deployed = again.deployments
            try:
                goes_on = again.look()
            except RateLimitError:
                raise  # it is looked at later
            except ManagerError as error:
                self._session.report(error)
                goes_on = False
            others = {key: value for key, value in self._watched.items() if key != name}
            waits = again.is_waiting or again.deployments > 0
            self._watched = {**others, name: waits} if goes_on else others
            self._take([])
            if again.deployments != deployed or not goes_on:
                self.refresh()
            return goes_on

        self._session.background.repeat(spreading.PERIOD, look)

    def delete(
        self,
        service: ServiceSummary,
        *,
        with_model: bool = False,
        begun: Callable[[], None] = lambda: None,
        failed: Callable[[ManagerError], None] | None = None,
    ) -> None:
        """Delete a service; its model's files stay unless asked.

        Parameters
        ----------
        with_model
            Whether the model that it serves is removed from its bucket afterwards.
        begun
            Called once nothing is known to stand against it, and it is being deleted.
        failed
            Called when something does, and nothing was deleted.
        """
        clients = self._session.clients

        def then(record: ModelRecord | None) -> None:
            self._remove([service], {service.name: record} if record else {}, begun)

        self._session.background.run(
            lambda: remove.model_of(clients, service) if with_model else None,
            then,
            failed or self._session.report,
        )

    def delete_all(self, found: Sequence[ServiceSummary]) -> None:
        """Delete services at the same time, each by itself; their models' files stay."""
        self._remove(found, {}, lambda: None)

    def dismiss(self, *names: str) -> None:
        """Tell no longer why deleting services failed, given their resource names."""
        with self._lock:
            told = self.not_deleted.items()
            self.not_deleted = {name: error for name, error in told if name not in names}

    def _remove(
        self,
        found: Sequence[ServiceSummary],
        records: Mapping[str, ModelRecord],
        begun: Callable[[], None],
    ) -> None:
        """Delete services, and the models that go with them."""
        clients = self._session.clients
        going = {each.name: each for each in found}

        def ended(service: ServiceSummary, error: ManagerError | None) -> None:
            del going[service.name]
            if error:
                self._kept(service, error)
            else:
                self._gone(service, records.get(service.name))

        def broken(error: ManagerError) -> None:
            for service in tuple(going.values()):
                self._kept(service, error)
            self.refresh()

        self.dismiss(*going)
        self._mark(*going, deleting=True)
        begun()
        self._session.background.run(
            lambda: remove.remove_services(clients, found, records, ended),
            lambda _: self.refresh(),
            broken,
        )

    def _gone(self, service: ServiceSummary, record: ModelRecord | None) -> None:
        files = f", and {record.id} was removed from {service.bucket}" if record else ""
        self._session.notify(f"{service.id} was deleted{files}.", "success")
        with self._lock:
            self._regions = {
                region: replace(
                    each, value=tuple(at for at in each.value or () if at.name != service.name)
                )
                for region, each in self._regions.items()
            }
        self._mark(service.name, deleting=False)
        for listener in self._removed if record else ():
            listener()

    def _kept(self, service: ServiceSummary, error: ManagerError) -> None:
        if service.name not in self._deleting:  # another project has been opened
            self._session.report(error)
            return
        self._session.notify(f"Deleting {service.id} failed. The Services tab says why.", "error")
        with self._lock:
            self.not_deleted = {**self.not_deleted, service.name: error}
        self._mark(service.name, deleting=False)

    def _mark(self, *names: str, deleting: bool) -> None:
        """Show services as being deleted before Cloud Run says so."""
        with self._lock:
            marked = self._deleting.union(names)
            self._deleting = marked if deleting else self._deleting.difference(names)
        self._take([])

    def _take(self, answers: Iterable[Outcome[str, tuple[ServiceSummary, ...]]]) -> None:
        with self._lock:
            for answer in answers:
                before = self._regions.get(answer.key)
                kept = before.value if before and answer.error else answer.value
                self._regions[answer.key] = replace(answer, value=kept)
            found = [self._regions[region] for region in sorted(self._regions)]
            all_found = [service for each in found for service in each.value or ()]
            failed = [(each.key, each.error) for each in found if each.error]
            with self.hold_trait_notifications():
                self.services = tuple(map(self._seen, service_list.in_order(all_found)))
                self.denied = tuple(each for each in failed if isinstance(each[1], DeniedError))
                self.unreachable = tuple(each for each in failed if each not in self.denied)

    def _seen(self, service: ServiceSummary) -> ServiceSummary:
        if service.name in self._deleting:
            return replace(service, state=ServiceState.DELETING, reason="")
        waits = self._watched.get(service.name)
        if waits is not None and service.state is ServiceState.ERROR:
            # What it failed for is not known yet, or passes.
            failed = replace(service, state=ServiceState.DEPLOYING, reason="")
            return spreading.waiting(service) if waits else failed
        return service

    def forget(self) -> None:
        """Know of no services, as at first."""
        self._latest.begin()
        self._regions = {}
        self._deleting = set()
        self._watched = {}
        self.not_deleted = {}
        self._take([])
        self.error = None
        self.loaded = False

    def _project_changed(self, _: object) -> None:
        self.forget()
        self.refresh()

    def _done(self, error: ManagerError | None) -> None:
        with self.hold_trait_notifications():
            self.error = error
            self.loading = False
            self.loaded = True

    def _changing(self) -> tuple[str, ...]:
        """Return the regions in which something changes."""
        return tuple({each.region for each in self.services if each.state in CHANGING})

    def _follow_changes(self) -> None:
        """Look again for as long as something changes, where it does."""
        if not self._polling and self._changing():
            self._polling = True
            self._session.background.repeat(POLL_SECONDS, self._poll)

    def _poll(self) -> bool:
        project, regions = self._session.project_id, self._changing()
        refused: list[RateLimitError] = []
        if regions:
            for some in service_list.by_region(
                self._session.clients, project, regions, others=Others.RECOGNISED
            ):
                refused += [each.error for each in some if isinstance(each.error, RateLimitError)]
                if project == self._session.project_id:
                    self._take(some)
        self._polling = bool(self._changing())
        if self._polling and refused:
            raise max(refused, key=lambda error: error.retry_after or 0.0)
        return self._polling
