"""Browser components. They show what they are given and report what a person does; no more.

Each is one class here and one ES module in ``static``. Modules and style sheets are built into one
file each (``built``, by ``make bundle``), which a page gets once, whatever it shows. They work in
Voilà and in JupyterLab, in a `page` or alone in a cell.
"""

from llm_widgets.widgets.chat import Composer, Transcript
from llm_widgets.widgets.details import CopyText, Detail, DetailList
from llm_widgets.widgets.dialog import ConfirmDialog, FormDialog
from llm_widgets.widgets.fields import Field, Option
from llm_widgets.widgets.files import FileProgress, FileRow
from llm_widgets.widgets.guard import ConnectionGuard
from llm_widgets.widgets.html import heading, note, paragraph, set_text
from llm_widgets.widgets.layout import (
    Header,
    button,
    card,
    grid,
    page,
    row,
    stack,
    tabs,
    toolbar,
)
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.picker import FilePicker
from llm_widgets.widgets.progress import Bar, TransferBars
from llm_widgets.widgets.storage import BrowserStorage
from llm_widgets.widgets.stream import Stream
from llm_widgets.widgets.table import Action, Column, DataTable
from llm_widgets.widgets.toasts import Toasts

__all__ = [
    "Action",
    "Bar",
    "BrowserStorage",
    "Column",
    "Composer",
    "ConfirmDialog",
    "ConnectionGuard",
    "CopyText",
    "DataTable",
    "Detail",
    "DetailList",
    "Field",
    "FilePicker",
    "FileProgress",
    "FileRow",
    "FormDialog",
    "Header",
    "Notice",
    "Option",
    "Stream",
    "Toasts",
    "Transcript",
    "TransferBars",
    "button",
    "card",
    "grid",
    "heading",
    "note",
    "page",
    "paragraph",
    "row",
    "set_text",
    "stack",
    "tabs",
    "toolbar",
]
