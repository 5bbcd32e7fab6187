"""Every setting of the product, read from the environment once, in one place."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from llm_widgets.errors import Fix, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

REGION = "europe-west1"
"""The region that is offered first where nobody names one."""

VOUCHED_VARIABLE = "LLM_WIDGETS_VISITORS"
"""Variable by which the server tells its kernels whether it knows who visits; see `VOUCHED`."""

VOUCHED = "iap"
"""Its value where Identity-Aware Proxy vouches for them."""

OWN_PAGE_VARIABLE = "LLM_WIDGETS_PAGE"
"""Variable by which the server tells its kernels that their page brings the components' code."""

PAGE_TOKEN_VARIABLE = "LLM_WIDGETS_PAGE_TOKEN"  # noqa: S105 - a name
"""Variable with the text that a browser must show; see `Settings.page_token`."""

_MOST_TASKS = 100
_SERVICE_ACCOUNT = re.compile(r"[a-z0-9.-]+@[a-z0-9.-]+\.gserviceaccount\.com")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service outside of Google Cloud is asked.

    Attributes
    ----------
    variable
        Name of the environment variable that holds another base URL.
    default
        The service's own base URL, without a slash at the end.
    """

    variable: str
    default: str


@dataclass(frozen=True, slots=True)
class Settings:
    """The product's settings.

    Attributes
    ----------
    google_endpoint
        Base URL of the Google APIs when they are not Google's own, else empty.
    project
        Id of the project that the product is locked to, or empty.
    default_project
        Id of the project that is offered first, or empty.
    region
        Region that new buckets and services are offered in first.
    image
        Image of this product, used for import jobs; empty means that imports run as a
        process on this machine.
    import_tasks
        Tasks of an import's job; 0 lets the size of the model decide.
    import_account
        Address of the service account that import jobs run as; empty for the product's own.
    iap_audience
        Audience of the Identity-Aware Proxy in front of the page, or empty.
    without_iap
        Whether the page lets everybody in on Cloud Run.
    page_token
        Text that a browser must show once; empty for a random one. It is in no ``repr``.
    is_vouched_for
        Whether Identity-Aware Proxy vouches for the visitor of this kernel.
    most_kernels
        Pages that may be open at the same time; 0 lets the memory decide.
    variables
        The environment that was read, for the endpoints that hubs declare: see
        :meth:`endpoint`. It is in no ``repr``, as it may hold secrets.
    """

    google_endpoint: str = ""
    project: str = ""
    default_project: str = ""
    region: str = REGION
    image: str = ""
    import_tasks: int = 0
    import_account: str = ""
    iap_audience: str = ""
    without_iap: bool = False
    most_kernels: int = 0
    page_token: str = field(default="", repr=False)
    is_vouched_for: bool = False
    variables: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)

    @property
    def is_local_cloud(self) -> bool:
        """Whether the Google APIs are those of the embedded local cloud."""
        return bool(self.google_endpoint)

    @property
    def cloud(self) -> str:
        """What the Google APIs are called in a sentence."""
        return "the local cloud" if self.is_local_cloud else "Google Cloud"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        Parameters
        ----------
        environment
            Variables by name; the environment of the process when left out.

        Raises
        ------
        InvalidInputError
            An endpoint is not an ``http://`` or ``https://`` URL, a number is none, or an
            account is not the address of a service account.
        """
        env = os.environ if environment is None else environment
        return cls(
            google_endpoint=_endpoint(env, "LLM_WIDGETS_GOOGLE_ENDPOINT", ""),
            project=env.get("LLM_WIDGETS_PROJECT", ""),
            default_project=env.get("LLM_WIDGETS_PROJECT", "")
            or env.get("GOOGLE_CLOUD_PROJECT", ""),
            region=env.get("LLM_WIDGETS_REGION", REGION),
            image=env.get("LLM_WIDGETS_IMAGE", ""),
            import_tasks=_count(env, "LLM_WIDGETS_IMPORT_TASKS"),
            import_account=_account(env, "LLM_WIDGETS_IMPORT_ACCOUNT"),
            iap_audience=env.get("LLM_WIDGETS_IAP_AUDIENCE", ""),
            without_iap=env.get("LLM_WIDGETS_WITHOUT_IAP", "") == "1",
            most_kernels=_count(env, "LLM_WIDGETS_MOST_KERNELS"),
            page_token=env.get(PAGE_TOKEN_VARIABLE, ""),
            is_vouched_for=env.get(VOUCHED_VARIABLE, "") == VOUCHED,
            variables=dict(env),
        )

    def endpoint(self, endpoint: Endpoint) -> str:
        """Return the base URL of a service, without a slash at the end.

        Raises
        ------
        InvalidInputError
            The environment names something that is no ``http://`` or ``https://`` URL.
        """
        return _endpoint(self.variables, endpoint.variable, endpoint.default)


@cache
def settings() -> Settings:
    """Return the settings of this process, read on the first call."""
    return Settings.from_environment()


def _count(env: Mapping[str, str], name: str) -> int:
    value = env.get(name, "") or "0"
    if not (value.isascii() and value.isdigit() and int(value) <= _MOST_TASKS):
        raise InvalidInputError(
            f"{name} is not a number from 0 to {_MOST_TASKS}: {value!r}.",
            field=name,
            fix=Fix(text=f"Set {name} to such a number, or unset it."),
        )
    return int(value)


def _account(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if value and not _SERVICE_ACCOUNT.fullmatch(value):
        raise InvalidInputError(
            f"{name} is not the address of a service account: {value!r}.",
            field=name,
            fix=Fix(text=f"Set {name} to NAME@PROJECT.iam.gserviceaccount.com, or unset it."),
        )
    return value


def _endpoint(env: Mapping[str, str], name: str, default: str) -> str:
    value = env.get(name, "") or default
    if value and not value.startswith(("http://", "https://")):
        raise InvalidInputError(
            f"{name} is not a URL: {value!r}.",
            field=name,
            fix=Fix(text=f"Set {name} to a URL such as http://127.0.0.1:8085, or unset it."),
        )
    return value.rstrip("/")
