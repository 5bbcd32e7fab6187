"""The Hugging Face Hub's own client: imported when first used, its failures in our words."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llm_widgets.config import Endpoint
from llm_widgets.errors import Fix, ManagerError, UnavailableError
from llm_widgets.hubs.failures import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huggingface_hub import HfApi

    from llm_widgets.hubs.huggingface.limited_client import Exchange

ENDPOINT = Endpoint("HF_ENDPOINT", "https://huggingface.co")

Explain = Callable[[Refusal], ManagerError]
"""Says what an answer means."""


def client(endpoint: str, token: str = "") -> HfApi:
    """Make a client that never uses a token but the one it is given."""
    # The import takes a quarter of a second, which drawing the page need not.
    from huggingface_hub import HfApi  # noqa: PLC0415 - see above

    return HfApi(endpoint=endpoint, token=token or False, library_name="llm-widgets")


@contextmanager
def asking(explain: Explain) -> Iterator[Exchange]:
    """Put limits on the client, and turn its failures into errors for a person.

    Raises
    ------
    ManagerError
        What ``explain`` makes of a refusal; UnavailableError when the hub does not answer in
        time, and HubError when it sends too much or redirects to where nothing is read from.
    """
    from huggingface_hub.errors import (  # noqa: PLC0415 - see above
        HfHubHTTPError,
        OfflineModeIsEnabled,
    )

    from llm_widgets.hubs.huggingface.limited_client import limited  # noqa: PLC0415 - see above

    try:
        with limited() as exchange:
            yield exchange
    except HfHubHTTPError as error:
        answer = error.response
        refusal = Refusal(answer.status_code, answer.headers, answer.content)
        raise explain(refusal) from error
    except OfflineModeIsEnabled as error:
        raise UnavailableError(
            "Hugging Face is not asked, as this program was started with HF_HUB_OFFLINE=1.",
            fix=Fix(text="Start it without HF_HUB_OFFLINE."),
        ) from error
