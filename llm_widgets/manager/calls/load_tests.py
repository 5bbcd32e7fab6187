"""What Python asks of load tests: what one costs, running it, and what is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain.load_tests.plan import MOST_SECONDS
from llm_widgets.gcp.run import service_json
from llm_widgets.manager import bars, change, finding, load_test, load_test_advice, load_test_offer
from llm_widgets.manager.calls.base import Calls
from llm_widgets.manager.closed_loop import ClosedLoop

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.load_tests.result import LoadTest
    from llm_widgets.manager.calls.base import Named
    from llm_widgets.manager.load_test import Progress
    from llm_widgets.manager.load_test_offer import Offer


class LoadTestCalls(Calls):
    """The part of :class:`.Manager` that measures what services do under load."""

    def load_test_offer(self, service: Named, *, seconds: float = MOST_SECONDS) -> Offer:
        """Return what :meth:`measure` would do and cost; nothing is sent to the service.

        Raises
        ------
        ManagerError
            The service can't be tested as it is.

        Examples
        --------
        >>> print(manager.load_test_offer("my-service").text)
        """
        found = finding.service(self.clients, self.project.id, service)
        return load_test_offer.offered(self.clients, found, seconds)

    def measure(
        self,
        service: Named,
        *,
        seconds: float = MOST_SECONDS,
        progress: bool = True,
        watch: Callable[[Progress], None] = lambda _: None,
    ) -> LoadTest:
        """Send a service more and more requests at once, and return up to how many it gains.

        It costs what :meth:`load_test_offer` says. Meanwhile the service runs one instance at
        most; it has its own limit back in the end, also when this is interrupted. The last test
        is kept with the service: see :meth:`load_test`.

        Parameters
        ----------
        seconds
            Time for all of it, from 5 to 180; an instance that has to start comes before it.
        progress
            Whether is shown what is being done, in a notebook or on a terminal.
        watch
            Called with how far it is.

        Raises
        ------
        ManagerError
            The service can't be tested as it is, or does not answer.

        Examples
        --------
        >>> found = manager.measure("my-service")
        >>> print(found)
        """
        offer = self.load_test_offer(service, seconds=seconds)
        with bars.of_service(offer.service.id, shown=progress) as bar:

            def tell(progress: Progress) -> None:
                bar(progress.text)
                watch(progress)

            ended = load_test.run(
                self.clients, offer, ClosedLoop(self.clients, offer.service), tell
            )
        assert ended.test  # nobody but the end of the process stops it
        return ended.test

    def load_test(self, service: Named) -> LoadTest | None:
        """Return the last load test of a service, which is kept with it.

        Returns
        -------
        LoadTest or None
            ``None`` where it was never tested.

        Raises
        ------
        ManagerError
            The service can't be read.
        """
        name = self._name(service)
        return load_test.kept_with(service_json.read(self.clients, name))

    def advised(self, service: Named) -> dict[str, Any]:
        """Return what the last load test advises, as options of :meth:`.DeployCalls.change`.

        Returns
        -------
        dict
            Empty where it advises nothing else than the service has now.

        Raises
        ------
        ManagerError
            The service can't be read.

        Examples
        --------
        >>> manager.change("my-service", **manager.advised("my-service"))
        """
        document = service_json.read(self.clients, self._name(service))
        return load_test_advice.changes(
            load_test.kept_with(document), change.deployment_of(document)
        )

    def restore_limit(self, service: Named) -> None:
        """Give a service the limit of its instances back that a load test has left behind.

        That is so where a test was broken off from outside, as with its computer.

        Raises
        ------
        InvalidInputError
            There is nothing to give back.
        ManagerError
            It may not be changed.
        """
        name = self._name(service)
        load_test.restore(self.clients, name)
