"""Names of GGUF files as people give them: quantization, tag, and which are pieces of a model."""

from __future__ import annotations

import pytest

from llm_widgets.hubs import quantizations


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("m-Q4_K_M-00001-of-00003.gguf", "Q4_K_M"),
        ("Q4_K_M/m-Q4_K_M-00002-of-00003.gguf", "Q4_K_M"),
        ("M-Q4_K_M-00001-OF-00002.GGUF", "Q4_K_M"),
        ("m-UD-Q4_K_XL-00001-of-00002.gguf", "UD-Q4_K_XL"),
        ("m-Q8_0-split-00001-of-00002.gguf", "Q8_0"),
        ("m-Q8_0.gguf-00001-of-00002.gguf", "Q8_0"),
        ("m-00001-of-00002-Q8_0.gguf", "Q8_0"),
        ("m.Q4_K_M-00001of00002.gguf", "Q4_K_M"),
        ("m-Q8_0-1-of-2.gguf", "Q8_0"),
        ("m_Q8_0_part_1.gguf", "Q8_0"),
        ("m-Q5_K_S.part1.gguf", "Q5_K_S"),
        ("m.Q6_K.gguf.part1of2", "Q6_K"),
        ("m.i1-Q6_K.gguf.part2of2", "Q6_K"),
        ("m.Q6_K.gguf-split-a", "Q6_K"),
    ],
)
def test_pieces_of_a_model_are_known_as_such(path: str, label: str) -> None:
    assert quantizations.is_weights(path)
    assert quantizations.is_shard(path)
    assert quantizations.label(path) == label
    assert quantizations.offered([path, "m-Q2_K.gguf"]) == ("Q2_K",)


@pytest.mark.parametrize(
    ("path", "tag"),
    [
        ("m-Q4_K_M.gguf", "Q4_K_M"),
        ("m-IQ1_S.gguf", "IQ1_S"),
        ("m-UD-TQ1_0.gguf", "UD-TQ1_0"),
        ("m-MXFP4_MOE.gguf", "MXFP4_MOE"),
        ("m-v1.2-of-mine-bf16.gguf", "BF16"),
        ("part-time-q2_k_s.gguf", "Q2_K_S"),
        ("m-fp16.gguf", "m-fp16.gguf"),
        ("m.gguf", "m.gguf"),
    ],
)
def test_a_model_in_one_file_is_offered_by_its_tag(path: str, tag: str) -> None:
    assert not quantizations.is_shard(path)
    assert quantizations.offered([path, "mmproj-F16.gguf", "m.imatrix.gguf"]) == (tag,)
