"""Whether the parts of the product that are installed only where they are used are there."""

from __future__ import annotations

from importlib.util import find_spec

from llm_widgets.errors import Fix, ManagerError

_PAGE = ("anywidget", "ipywidgets", "voila")


def check_page() -> None:
    """See that what the page needs is installed.

    Raises
    ------
    ManagerError
        It is not: Python and the command line do without.
    """
    if any(find_spec(name) is None for name in _PAGE):
        raise ManagerError(
            'The page is not installed. It comes with the extra "page".',
            fix=Fix(command="pip install 'llm-widgets[page]'"),
        )
