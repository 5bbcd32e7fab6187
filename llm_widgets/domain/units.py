"""Numbers as people read them."""

from __future__ import annotations

from fractions import Fraction

GIB = 2**30
"""Bytes."""

BINARY = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": GIB, "TiB": 2**40}
"""Units that engines write in their logs, in bytes."""

# Suffixes of Kubernetes' quantities, which Cloud Run writes.
_SUFFIXES: dict[str, int | Fraction] = {
    "": 1,
    "m": Fraction(1, 1000),
    **{suffix: 1000**power for power, suffix in enumerate(("k", "M", "G", "T", "P"), 1)},
    **{suffix: 1024**power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi"), 1)},
}
_STEPS = ("B", "kB", "MB", "GB", "TB", "PB")
_MINUTE = 60
_HOUR = 3600


def bytes_text(size: float) -> str:
    """Write a number of bytes with three digits and a decimal unit: ``98.4 MB``."""
    value = float(size)
    for step in _STEPS[:-1]:
        if abs(value) < 999.5:  # noqa: PLR2004 - what rounds to 1000 belongs to the next unit
            return f"{value:.0f} {step}" if step == "B" else f"{value:.3g} {step}"
        value /= 1000
    return f"{value:.3g} {_STEPS[-1]}"


def duration_text(seconds: float) -> str:
    """Write a duration with its two largest units: ``1 h 05 min``, ``2 min 10 s``, ``8 s``."""
    total = max(0, round(seconds))
    if total < _MINUTE:
        return f"{total} s"
    if total < _HOUR:
        return f"{total // _MINUTE} min {total % _MINUTE:02d} s"
    return f"{total // _HOUR} h {total % _HOUR // _MINUTE:02d} min"


def quantity(text: str) -> float:
    """Read an amount of vCPUs or bytes as Cloud Run writes it: ``2``, ``500m``, ``512Mi``.

    Raises
    ------
    ValueError
        It is none.
    """
    suffix = text.lstrip("0123456789.")
    if suffix not in _SUFFIXES:
        raise ValueError(f"{text!r} is not a quantity")
    return float(Fraction(text.removesuffix(suffix)) * _SUFFIXES[suffix])


def number_text(value: float) -> str:
    """Write a number without superfluous zeros, so that reading it gives the same number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def rounded_text(value: float) -> str:
    """Write a number with four digits at most, and without superfluous zeros."""
    return f"{value:.4g}" if value != int(value) else str(int(value))
