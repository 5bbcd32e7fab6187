"""What Python asks the models of services: answers, vectors, rankings, labels, transcripts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from llm_widgets.domain.services import ServiceSummary
from llm_widgets.domain.tables import Listing
from llm_widgets.manager import (
    asking,
    comparing,
    self_test,
)
from llm_widgets.manager.calls.services import ServiceCalls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from llm_widgets.domain.answers import Classified, Embedding, Ranked, Transcript
    from llm_widgets.domain.comparisons import Compared
    from llm_widgets.domain.self_tests import Tested
    from llm_widgets.manager.calls.base import Named


class AskCalls(ServiceCalls):
    """The part of :class:`.Manager` that asks the models of services."""

    @overload
    def chat(
        self,
        service: Named,
        prompt: str | Sequence[Mapping[str, str]],
        *,
        stream: Literal[False] = False,
        **params: Any,
    ) -> str: ...

    @overload
    def chat(
        self,
        service: Named,
        prompt: str | Sequence[Mapping[str, str]],
        *,
        stream: Literal[True],
        **params: Any,
    ) -> Iterator[str]: ...

    def chat(
        self,
        service: Named,
        prompt: str | Sequence[Mapping[str, str]],
        *,
        stream: bool = False,
        **params: Any,
    ) -> str | Iterator[str]:
        """Ask a deployed model something.

        Parameters
        ----------
        prompt
            What a person says, or a conversation of ``{"role": …, "content": …}``.
        stream
            Whether the answer is returned piece by piece, as it comes.
        **params
            Further fields of the request, for example ``temperature=0.2, max_tokens=500``.

        Returns
        -------
        str or Iterator[str]
            The whole answer, or its pieces.

        Raises
        ------
        ManagerError
            The service refuses, fails or falls silent.

        Examples
        --------
        >>> for piece in manager.chat("my-service", "Say hello.", stream=True):
        ...     print(piece, end="")
        """
        pieces = self._pieces(service, prompt, params)
        return pieces if stream else "".join(pieces)

    def compare(
        self,
        services: Sequence[Named],
        prompt: str | Sequence[Mapping[str, str]],
        *,
        come: Callable[[ServiceSummary, str], object] | None = None,
        **params: Any,
    ) -> Listing[Compared]:
        """Ask two to four deployed models the same at once: answers, speed and price of each.

        Parameters
        ----------
        prompt, **params
            As for :meth:`chat`.
        come
            Called with the service and a piece of its answer, as it comes, in several threads.

        Raises
        ------
        ManagerError
            A service can't be found, or can't be compared. What one refuses is told with the
            answers.

        Examples
        --------
        >>> for answer in manager.compare(["small", "large"], "Why is the sky blue?"):
        ...     print(answer.service.id, answer.first_token, answer.text)
        """
        found = [self._found(each) for each in services]
        return comparing.compare(self.clients, found, _said(prompt), params, come=come)

    def embed(self, service: Named, texts: str | Sequence[str]) -> Listing[Embedding]:
        """Turn texts into vectors, in their order.

        Raises
        ------
        ManagerError
            The service does not make embeddings, refuses or fails.

        Examples
        --------
        >>> cat, dog = manager.embed("my-embedder", ["a cat", "a dog"])
        >>> cat.similarity(dog)
        """
        told = [texts] if isinstance(texts, str) else list(texts)
        found = asking.embed(self.clients, self._found(service), told)
        return Listing(found, ("text", "dimension"))

    def rank(self, service: Named, query: str, passages: Sequence[str]) -> Listing[Ranked]:
        """Rank passages by how well they answer a query, the best one first.

        Raises
        ------
        ManagerError
            The service does not rank, refuses or fails.
        """
        found = asking.rank(self.clients, self._found(service), query, list(passages))
        return Listing(found, ("score", "passage"))

    def classify(self, service: Named, texts: Iterable[str]) -> Listing[Classified]:
        """Tell which labels fit texts, in their order, with the scores of all labels.

        Raises
        ------
        ManagerError
            The service does not classify, refuses or fails.
        """
        found = asking.classify(self.clients, self._found(service), list(texts))
        return Listing(found, ("label", "score", "text"))

    def transcribe(self, service: Named, file: str | Path) -> Transcript:
        """Write down what is said in a file of sound.

        Raises
        ------
        ManagerError
            The service does not transcribe, refuses or fails, or the file is too large.
        """
        path = Path(file)
        recording = asking.Recording(path.name, path.read_bytes())
        return asking.transcribe(self.clients, self._found(service), recording)

    def self_test(self, service: Named) -> Listing[Tested]:
        """Ask a service a little of everything that it should do, such as a tool call.

        Raises
        ------
        ManagerError
            The service can't be read, or its engine is not known. What the service refuses is a
            failure in the list.
        """
        found = self_test.run(self.clients, self._found(service))
        return Listing(found, ("test", "outcome", "found", "advice", "seconds"))

    def _found(self, service: Named) -> ServiceSummary:
        """Return a service that is to be asked, with the name of its model."""
        found = service if isinstance(service, ServiceSummary) else self.service(service)
        return asking.named(self.clients, found)

    def _pieces(
        self,
        service: Named,
        prompt: str | Sequence[Mapping[str, str]],
        params: Mapping[str, Any],
    ) -> Iterator[str]:
        answer = asking.chat(self.clients, self._found(service), _said(prompt), params)
        try:
            for event in answer:
                if event.text:
                    yield event.text
        finally:
            answer.close()  # also when nobody wants the rest


def _said(prompt: str | Sequence[Mapping[str, str]]) -> Sequence[Mapping[str, str]]:
    """Return what a person says as a conversation."""
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
