"""The Hugging Face Hub's own client: imported when first used, its failures in our words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llm_widgets.config import Endpoint
from llm_widgets.errors import Fix, ManagerError, UnavailableError
from llm_widgets.hubs import http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huggingface_hub import HfApi

ENDPOINT = Endpoint("HF_ENDPOINT", "https://huggingface.co")

Explain = Callable[[int, Mapping[str, str]], ManagerError]
"""Says what an answer means: given are its HTTP status and its header fields."""


def client(endpoint: str, token: str = "") -> HfApi:
    """Make a client that never uses a token but the one it is given."""
    # The import takes a quarter of a second, which drawing the page need not.
    from huggingface_hub import HfApi  # noqa: PLC0415 - see above

    return HfApi(endpoint=endpoint, token=token or False, library_name="llm-widgets")


@contextmanager
def asking(endpoint: str, explain: Explain) -> Iterator[None]:
    """Turn the client's failures into errors for a person.

    Raises
    ------
    ManagerError
        What ``explain`` makes of a refusal; UnavailableError when the hub does not answer.
    """
    import httpx2  # noqa: PLC0415 - comes with the client, see above
    from huggingface_hub.errors import (  # noqa: PLC0415 - see above
        HfHubHTTPError,
        OfflineModeIsEnabled,
    )

    try:
        yield
    except HfHubHTTPError as error:
        raise explain(error.response.status_code, error.response.headers) from error
    except OfflineModeIsEnabled as error:
        raise UnavailableError(
            "Hugging Face is not asked, as this program was started with HF_HUB_OFFLINE=1.",
            fix=Fix(text="Start it without HF_HUB_OFFLINE."),
        ) from error
    except httpx2.HTTPError as error:
        raise http.unreachable(endpoint, error) from error
