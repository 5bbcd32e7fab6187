"""What the local cloud needs of the client package of Compute Engine: three of its clients.

The package imports more than a hundred clients at once, which takes seconds at each start.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

_PACKAGE = "google.cloud.compute_v1"


class _InParts(ModuleType):
    """The package before it is run: whoever asks it for a name of its own has it run whole."""

    def __getattr__(self, name: str) -> Any:
        """Return a name of the whole package."""
        self.__class__ = ModuleType  # type: ignore[assignment] # the whole one has no such names
        if self.__spec__ and self.__spec__.loader:
            self.__spec__.loader.exec_module(self)
        return getattr(self, name)


if _PACKAGE not in sys.modules and (_found := find_spec(_PACKAGE)):
    sys.modules[_PACKAGE] = _package = module_from_spec(_found)
    import google.cloud.compute_v1.gapic_version  # noqa: F401 - the clients ask the package for it

    _package.__class__ = _InParts

from google.cloud.compute_v1.services.networks import NetworksClient  # noqa: E402 - above is what makes it quick
from google.cloud.compute_v1.services.region_operations import RegionOperationsClient  # noqa: E402 - as above
from google.cloud.compute_v1.services.subnetworks import SubnetworksClient  # noqa: E402 - as above
from google.cloud.compute_v1.types import compute as messages  # noqa: E402 - as above

__all__ = ["NetworksClient", "RegionOperationsClient", "SubnetworksClient", "messages"]
