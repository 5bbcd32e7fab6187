from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.transfer import crc


def test_known_value() -> None:
    assert crc.extend(0, b"123456789") == 0xE3069283  # RFC 3720's check value
    assert crc.text(0xE3069283) == "4waSgw=="


@given(st.lists(st.binary(max_size=3000), max_size=6))
def test_whole_from_parts(parts: list[bytes]) -> None:
    pairs = [(crc.extend(0, part), len(part)) for part in parts]
    assert crc.combine_all(pairs) == crc.extend(0, b"".join(parts))


@pytest.mark.parametrize("length", [1, 255, 256, 5 << 20, (5 << 20) + 3])
def test_long_second_part(length: int) -> None:
    first, second = b"model", bytes(length)
    combined = crc.combine(crc.extend(0, first), crc.extend(0, second), length)
    assert combined == crc.extend(0, first + second)


def test_parts_in_another_order_differ() -> None:
    a, b = (crc.extend(0, b"aaaa"), 4), (crc.extend(0, b"bb"), 2)
    assert crc.combine_all([a, b]) != crc.combine_all([b, a])
