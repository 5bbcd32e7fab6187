"""Networks of the project, and which one its deployments use unless told otherwise."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from traitlets import Dict, Instance, Tuple

from llm_widgets.checks import networks
from llm_widgets.checks.networks import Found
from llm_widgets.domain import gpus
from llm_widgets.domain.networks import NetworkChoice, NetworkKind, read_labels
from llm_widgets.errors import ManagerError
from llm_widgets.manager import project_changes
from llm_widgets.page.background import Latest
from llm_widgets.page.general.rounds import RoundsState

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.checks.context import Context
    from llm_widgets.gcp.client.parallel import Outcome
    from llm_widgets.page.session import Session


class NetworkState(RoundsState):
    """What there is, by region, and the default for all deployments.

    Attributes
    ----------
    found
        ``"region/kind"`` to :class:`llm_widgets.checks.networks.Found`, filled as answers come.
    turning_on
        ``(region, subnet)`` whose Private Google Access is being turned on.
    error
        Why the last change failed.
    not_kept
        Why the default can't be kept with the project; this browser keeps it then.
    """

    found: Dict = Dict()
    turning_on: Tuple = Tuple()
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)
    not_kept: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._latest_choice = Latest()
        self._writing = threading.Lock()

    @property
    def default(self) -> NetworkChoice:
        """What deployments of the project use."""
        return self._session.network_default(self._session.project_id)

    def choose(self, choice: NetworkChoice) -> None:
        """Make a choice the default of the project, kept in its labels for everybody.

        Where those may not be changed, this browser keeps it.
        """
        session, project = self._session, self._session.project_id
        if not project or choice == self.default:
            return
        fresh = self._latest_choice.begin()
        self.not_kept = None
        session.keep_network(project, choice, here_only=True)  # at once; the project follows

        def work() -> None:
            with self._writing:  # one after the other: the last choice is what stays
                if fresh():
                    project_changes.keep_network(session.clients, project, choice)

        def then(_: object) -> None:
            if fresh():
                session.keep_network(project, choice, here_only=False)

        def failed(error: ManagerError) -> None:
            if fresh() and session.project_id == project:
                self.not_kept = error

        session.background.run(work, then, failed)

    def choices(self) -> tuple[NetworkChoice, ...]:
        """Return what can be chosen: nothing, each subnet that is large enough, each connector."""
        offered = {NetworkChoice(): None, self.default: None}
        for region in gpus.regions():
            for subnet in self._of(region, networks.SUBNETS).subnets:
                if subnet.is_large_enough:
                    choice = NetworkChoice(NetworkKind.SUBNET, subnet.network, subnet.name)
                    offered.setdefault(choice, None)
            for connector in self._of(region, networks.CONNECTORS).connectors:
                offered.setdefault(NetworkChoice(NetworkKind.CONNECTOR, "", connector.id), None)
        return tuple(offered)

    def regions_of(self, choice: NetworkChoice) -> tuple[str, ...]:
        """Return the regions in which a choice can be used, as far as it is known."""
        return tuple(region for region in gpus.regions() if self._has(region, choice))

    def regions_without(self, choice: NetworkChoice) -> tuple[str, ...]:
        """Return the regions that are known not to have a choice."""
        return tuple(
            region
            for region in gpus.regions()
            if not self._has(region, choice) and not self._errors(region)
        )

    def without_access(self) -> tuple[tuple[str, str], ...]:
        """Return ``(region, subnet)`` of the usable subnets without Private Google Access."""
        return tuple(
            (region, subnet.name)
            for region in gpus.regions()
            for subnet in self._of(region, networks.SUBNETS).subnets
            if subnet.is_large_enough and not subnet.private_google_access
        )

    def refresh(self) -> None:
        """Ask every region again."""

        def ask(context: Context, is_newest: Callable[[], bool]) -> None:
            def tell(answer: Found) -> None:
                with self._lock:
                    if is_newest():
                        self.found = {**self.found, f"{answer.region}/{answer.kind}": answer}

            networks.survey(context, tell)

        def then(_: object) -> None:
            self._session.networks_found = {
                region: [choice for choice in self.choices() if self._has(region, choice)]
                for region in gpus.regions()
                if not self._errors(region)
            }

        self._begin_round(ask, then)

    def turn_on(self, *targets: tuple[str, str]) -> None:
        """Turn Private Google Access of subnets on, given as region and name; then look again."""
        session, project = self._session, self._session.project_id
        todo = [target for target in targets if target not in self.turning_on]
        if not project or not todo:
            return
        self.error = None
        self.turning_on = (*self.turning_on, *todo)

        def then(found: list[Outcome[tuple[str, str], None]]) -> None:
            self.turning_on = tuple(each for each in self.turning_on if each not in todo)
            done = [f"{each.key[1]} in {each.key[0]}" for each in found if not each.error]
            if done:
                session.notify(f"Private Google Access is on: {', '.join(done)}.", "success")
                self.refresh()
            self.error = next((each.error for each in found if each.error), None)

        def failed(error: ManagerError) -> None:
            self.turning_on = tuple(each for each in self.turning_on if each not in todo)
            self.error = error

        session.background.run(
            lambda: project_changes.turn_on_private_google_access(session.clients, project, todo),
            then,
            failed,
        )

    def _of(self, region: str, kind: str) -> Found:
        found: Found = self.found.get(f"{region}/{kind}", Found(region, kind))
        return found

    def _errors(self, region: str) -> bool:
        return any(self._of(region, kind).error for kind in (networks.SUBNETS, networks.CONNECTORS))

    def _has(self, region: str, choice: NetworkChoice) -> bool:
        if choice.kind is NetworkKind.NONE:
            return True
        return self._of(region, networks.kind_of(choice)).holds(choice)

    def _project_changed(self, _: object) -> None:
        self.found = {}
        self._session.networks_found = {}
        self.checked_at = 0.0
        self.error = self.not_kept = None
        project = self._session.project
        if project:
            kept = self._session.networks_kept
            self._session.networks_kept = {**kept, project.id: read_labels(project.labels)}
        self.refresh()
