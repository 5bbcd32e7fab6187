"""Makes sure that there is a browser for the end-to-end tests, and says which.

In this order: $CHROMIUM, one that is installed, Debian's package where it may be installed,
Playwright's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def installed() -> str:
    """Return the path of a Chromium that is installed on this machine, or empty."""
    named = os.environ.get("CHROMIUM", "")
    if named:
        return named
    return next((path for name in NAMES if (path := shutil.which(name))), "")


def playwrights_own() -> str:
    """Return the path of the Chromium that Playwright downloaded, or empty."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - starts a driver

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else ""


def main() -> int:
    """Find or install a browser."""
    found = installed() or playwrights_own()
    if found:
        print(f"Browser for the tests: {found}")
        return 0
    if shutil.which("apt-get") and os.geteuid() == 0:
        print("No Chromium here: installing Debian's package ...", flush=True)
        for words in (["update", "-q"], ["install", "-y", "-q", "chromium"]):
            subprocess.run(["apt-get", *words], check=False, stdout=subprocess.DEVNULL)
        if found := installed():
            print(f"Browser for the tests: {found}")
            return 0
    print("No Chromium here: having Playwright download its own ...", flush=True)
    done = subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if done.returncode == 0 and (found := playwrights_own()):
        print(f"Browser for the tests: {found}")
        return 0
    print("No browser for the tests: install Chromium, or name one in $CHROMIUM.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
