from __future__ import annotations

import hashlib
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.domain.imports import DigestKind
from llm_widgets.transfer.hashing import PlainHasher, hex_digest, new_hasher, resumed_hasher

SHA256, GIT_SHA1 = DigestKind.SHA256, DigestKind.GIT_SHA1


@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_sha256_goes_on_from_its_state(before: bytes, after: bytes) -> None:
    first = new_hasher(SHA256, len(before + after))
    first.update(before)
    second = resumed_hasher(SHA256, first.state())
    if second is None:  # no usable libcrypto on this machine: a file is read again instead
        assert first.state() is None
        return
    second.update(after)
    assert second.hexdigest() == hashlib.sha256(before + after).hexdigest()


def test_digest_can_be_asked_for_in_the_middle() -> None:
    hasher = new_hasher(SHA256, 6)
    hasher.update(b"abc")
    assert hasher.hexdigest() == hashlib.sha256(b"abc").hexdigest()
    hasher.update(b"def")
    assert hasher.hexdigest() == hashlib.sha256(b"abcdef").hexdigest()


def test_git_digest_is_the_one_of_git() -> None:
    content = b"hello\n"
    git = subprocess.run(
        ["git", "hash-object", "--stdin"], input=content, capture_output=True, check=True
    )
    assert hex_digest(GIT_SHA1, content) == git.stdout.decode().strip()


def test_git_digest_can_not_be_saved() -> None:
    hasher = new_hasher(GIT_SHA1, 5)
    hasher.update(b"ab")
    assert hasher.state() is None
    assert resumed_hasher(GIT_SHA1, "00" * 112) is None


@pytest.mark.parametrize("state", [None, "", "zz", "00", "00" * 111])
def test_a_damaged_state_is_not_gone_on_from(state: str | None) -> None:
    assert resumed_hasher(SHA256, state) is None


def test_without_libcrypto_digests_are_right_too() -> None:
    hasher = PlainHasher(hashlib.sha256())
    hasher.update(b"abc")
    assert hasher.hexdigest() == hashlib.sha256(b"abc").hexdigest()
    assert hasher.state() is None
