"""Progress bars of tqdm, in a notebook or on a terminal; none where nobody would see them."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llm_widgets.domain.progress import ImportProgress

T = TypeVar("T")

_NO_TOTAL = "{desc} [{elapsed}]"


@contextmanager
def of_import(model_id: str, *, shown: bool) -> Iterator[Callable[[ImportProgress], None]]:
    """Show how many bytes of an import have arrived; the block is given what takes it."""
    if not _is_seen(shown=shown):
        yield lambda _: None
        return
    from tqdm.auto import tqdm  # noqa: PLC0415 - loads widgets in a notebook

    with tqdm(desc=model_id, unit="B", unit_scale=True, total=0) as bar:

        def take(progress: ImportProgress) -> None:
            bar.total = progress.size
            bar.update(progress.done - bar.n)
            # Drawn each time: tqdm leaves out an update while nothing arrives.
            bar.set_postfix_str(progress.trouble or progress.state.value)

        yield take


@contextmanager
def of_service(name: str, *, shown: bool) -> Iterator[Callable[[str], None]]:
    """Show what Cloud Run says of a deployment; the block is given what takes it."""
    if not _is_seen(shown=shown):
        yield lambda _: None
        return
    from tqdm.auto import tqdm  # noqa: PLC0415 - loads widgets in a notebook

    with tqdm(desc=name, bar_format=_NO_TOTAL, total=1) as bar:
        yield lambda message: bar.set_description_str(f"{name}: {message}" if message else name)


def both(one: Callable[[T], object], other: Callable[[T], object]) -> Callable[[T], None]:
    """Return what tells two, for example a bar and the caller."""

    def tell(value: T) -> None:
        one(value)
        other(value)

    return tell


def _is_seen(*, shown: bool) -> bool:
    """Return whether somebody sees a bar: in a notebook, or at a terminal."""
    return shown and (_in_notebook() or sys.stderr.isatty())


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")
