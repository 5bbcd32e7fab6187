"""The page's server without a network: who is let in, which kernels go, what is configured."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.auth import crypt, jwt

from llm_widgets.cli.main import main
from llm_widgets.errors import ManagerError
from llm_widgets.server.iap import ISSUER, verify_assertion
from llm_widgets.server.kernels import AbandonedKernelManager, OwnKernelSpecManager
from llm_widgets.server.launcher import launch

if TYPE_CHECKING:
    from pathlib import Path

AUDIENCE = "/projects/123/locations/europe-west1/services/manager"


class Proxy:
    """Identity-Aware Proxy with a key of its own."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self.signer = crypt.EsSigner.from_string(pem, key_id="k1")
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.keys = {"k1": public.decode()}

    def assertion(self, **changes: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "email": "ada@example.com",
            "sub": "accounts.google.com:1",
            "iat": now - 10,
            "exp": now + 600,
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return str(jwt.encode(self.signer, claims), "ascii")


@pytest.fixture(scope="module")
def proxy() -> Proxy:
    return Proxy()


class TestAssertion:
    def test_good(self, proxy: Proxy) -> None:
        assert verify_assertion(proxy.assertion(), AUDIENCE, proxy.keys) == "ada@example.com"

    @pytest.mark.parametrize(
        "changes",
        [
            {"aud": "/projects/123/locations/europe-west1/services/other"},
            {"iss": "https://accounts.google.com"},
            {"exp": 1_000_000},
            {"iat": 9_000_000_000, "exp": 9_000_000_600},
            {"email": None},
            {"email": ""},
            {"email": ["ada@example.com"]},
            {"aud": None},
        ],
    )
    def test_wrong_claims(self, proxy: Proxy, changes: dict[str, Any]) -> None:
        assert verify_assertion(proxy.assertion(**changes), AUDIENCE, proxy.keys) is None

    def test_signed_by_somebody_else(self, proxy: Proxy) -> None:
        assert verify_assertion(Proxy().assertion(), AUDIENCE, proxy.keys) is None

    def test_unknown_key(self, proxy: Proxy) -> None:
        keys = {"k2": proxy.keys["k1"]}
        assert verify_assertion(proxy.assertion(), AUDIENCE, keys) is None

    @pytest.mark.parametrize("text", ["", "x", "a.b.c", "ä", "..", "e30.e30."])
    def test_garbage(self, proxy: Proxy, text: str) -> None:
        assert verify_assertion(text, AUDIENCE, proxy.keys) is None

    def test_changed_after_signing(self, proxy: Proxy) -> None:
        header, payload, signature = proxy.assertion().split(".")
        other = proxy.assertion(email="eve@example.com").split(".")[1]
        assert payload != other
        assert verify_assertion(f"{header}.{other}.{signature}", AUDIENCE, proxy.keys) is None


class Rounds(AbandonedKernelManager):
    """Notes which kernels would be shut down, instead of having kernels; its clock is set."""

    gone: list[str]
    clock: float

    def now(self) -> float:
        return self.clock

    async def shutdown_kernel(  # type: ignore[override] # its own is declared as if it waited
        self, kernel_id: str, *_: Any, **__: Any
    ) -> None:
        self.gone.append(kernel_id)


class TestAbandonedKernels:
    @pytest.fixture
    def manager(self) -> Rounds:
        manager = Rounds(abandon_after=0.6, cull_interval=1)
        manager.gone = []
        manager.clock = 0.0
        manager._kernel_connections = {"k": 0}
        return manager

    def look(self, manager: Rounds) -> list[str]:
        asyncio.run(manager.cull_kernel_if_idle("k"))
        return manager.gone

    def test_goes_when_nobody_ever_came(self, manager: Rounds) -> None:
        assert self.look(manager) == []
        manager.clock += 0.7
        assert self.look(manager) == ["k"]

    def test_stays_while_a_browser_is_there(self, manager: Rounds) -> None:
        manager.notify_connect("k")
        self.look(manager)
        manager.clock += 0.7
        assert self.look(manager) == []

    def test_time_counts_from_the_last_browser(self, manager: Rounds) -> None:
        self.look(manager)
        manager.clock += 0.7
        manager.notify_connect("k")
        assert self.look(manager) == []
        manager.notify_disconnect("k")  # type: ignore[no-untyped-call] # it has no types
        assert self.look(manager) == []
        manager.clock += 0.7
        assert self.look(manager) == ["k"]

    def test_time_in_the_pool_does_not_count(self, manager: Rounds) -> None:
        manager.cull_interval = 0  # then any pause is longer than three rounds
        self.look(manager)
        manager.clock += 0.7  # kept warm: Voilà leaves it out of the rounds
        assert self.look(manager) == []


def test_only_kernel_is_this_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text('{"argv": ["other"], "display_name": "other"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    specs = OwnKernelSpecManager()
    assert list(specs.get_all_specs()) == ["python3"]
    assert specs.get_kernel_spec("python3").argv[0] != "other"


class TestLaunchRefuses:
    def test_missing_notebook(self, tmp_path: Path) -> None:
        with pytest.raises(ManagerError, match="There is no notebook at"):
            launch(tmp_path / "no.ipynb")

    @pytest.mark.parametrize("port", ["x", "-1", "80 80"])
    def test_port_variable(self, tmp_path: Path, monkeypatch: Any, port: str) -> None:
        monkeypatch.setenv("PORT", port)
        (tmp_path / "a.ipynb").write_text("{}")
        with pytest.raises(ManagerError, match="PORT is not a number"):
            launch(tmp_path / "a.ipynb")

    def test_port_that_does_not_exist(self, tmp_path: Path, monkeypatch: Any) -> None:
        (tmp_path / "a.ipynb").write_text("{}")
        monkeypatch.setenv("PORT", "99999")
        for port in (None, 65536, -1):
            with pytest.raises(ManagerError, match="does not exist: ports end at 65535"):
                launch(tmp_path / "a.ipynb", port=port)

    @pytest.mark.parametrize(
        "path",
        ["", "page", "//evil.example", "/a//", "/..", "/a/./b", "/a;b", "/a b", "/ä", "/(.*)"],
    )
    def test_what_is_no_path(self, tmp_path: Path, path: str) -> None:
        (tmp_path / "a.ipynb").write_text("{}")
        with pytest.raises(ManagerError, match="The page can't be below the path"):
            launch(tmp_path / "a.ipynb", port=0, base_url=path)

    def test_any_name_without_a_token(self, tmp_path: Path) -> None:
        (tmp_path / "a.ipynb").write_text("{}")
        with pytest.raises(ManagerError, match="Without a token"):
            launch(tmp_path / "a.ipynb", port=0, token="", allowed_hosts=["*"])


@pytest.mark.parametrize("words", ["run --port 99999", "serve --port -1"])
def test_words_that_are_no_port(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split()) == 2
    assert "is not a port: enter 0 to 65535" in capsys.readouterr().err
