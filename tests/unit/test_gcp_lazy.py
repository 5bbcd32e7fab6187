"""Drawing the page must not cost the seconds that Google's packages take to import."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

from llm_widgets import gcp, serving

MODULES = sorted(
    module.name
    for package in (gcp, serving)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
)


def test_no_module_imports_googles_packages() -> None:
    code = (
        f"import importlib, sys\n"
        f"for name in {MODULES!r}: importlib.import_module(name)\n"
        "print([n for n in sys.modules if n.startswith(('google.', 'requests', 'grpc', 'httpx'))])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip() == "[]"


def test_unknown_package_is_an_attribute_error() -> None:
    from llm_widgets.gcp.client import lazy  # noqa: PLC0415 - what is tested

    with pytest.raises(AttributeError, match="no attribute 'run_v9'"):
        _ = lazy.run_v9
