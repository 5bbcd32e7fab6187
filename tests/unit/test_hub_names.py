"""What people type for a model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets import hubs
from llm_widgets.config import Settings
from llm_widgets.errors import InvalidInputError
from llm_widgets.hubs.huggingface import addresses
from llm_widgets.hubs.huggingface import names as hugging_face
from llm_widgets.hubs.ollama import names as ollama


@pytest.mark.parametrize(
    ("typed", "model_id", "revision"),
    [
        ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B", ""),
        ("  google/gemma-3-1b-it\n", "google/gemma-3-1b-it", ""),
        ("gpt2", "gpt2", ""),
        ("org/name/", "org/name", ""),
        ("https://huggingface.co/Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B", ""),
        ("http://www.huggingface.co/Qwen/Qwen3-0.6B/?library=vllm#x", "Qwen/Qwen3-0.6B", ""),
        ("huggingface.co/Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B", ""),
        ("hf.co/Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B", ""),
        ("https://huggingface.co/models/Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B", ""),
        ("https://huggingface.co/org/name/tree/refs%2Fpr%2F1", "org/name", "refs/pr/1"),
        ("https://huggingface.co/org/name/blob/main/config.json", "org/name", "main"),
        ("https://huggingface.co/org/name/tree/refs/pr/1", "org/name", "refs/pr/1"),
        ("https://huggingface.co/api/models/org/name/revision/v5", "org/name", "v5"),
        ("https://huggingface.co/org/name/discussions/7/files", "org/name", "refs/pr/7"),
        ("https://huggingface.co/org/name/tree/v1%2Bcu%3D1%40x%23y", "org/name", "v1+cu=1@x#y"),
        ("https://huggingface.co/org/name/commit/0a1b2c3", "org/name", "0a1b2c3"),
        ("https://huggingface.co/api/models/org/name", "org/name", ""),
        ("https://huggingface.co/org/name.git", "org/name", ""),
        ("git@hf.co:org/name.git", "org/name", ""),
        ("<https://huggingface.co/org/name>", "org/name", ""),
        ("hf://org/name", "org/name", ""),
        ("hf://models/org/name@refs/pr/2/config.json", "org/name", "refs/pr/2"),
        ("org/name@v2", "org/name", "v2"),
        ('"org/name"', "org/name", ""),
        ("`org/name`", "org/name", ""),
        ("“org/name”,", "org/name", ""),
        ("\u200borg/name\ufeff\u00a0", "org/name", ""),
        ("hf download org/name", "org/name", ""),
        ("hf download --local-dir x org/name --revision a/b", "org/name", "a/b"),
        ("huggingface-cli download org/name config.json --token hf_x", "org/name", ""),
        ("$ HF_TOKEN=hf_x vllm serve org/name --max-model-len 4096", "org/name", ""),
        ("(venv) $ vllm serve --model=org/name --revision=v1", "org/name", "v1"),
        ("python -m vllm.entrypoints.openai.api_server --model org/name", "org/name", ""),
        ("docker run --gpus all \\\n vllm/vllm-openai:latest --model org/name", "org/name", ""),
        ("git clone -b dev https://huggingface.co/org/name here", "org/name", "dev"),
        ("git lfs install\ngit clone https://hf.co/org/name  # 2 GB", "org/name", ""),
        ('AutoModel.from_pretrained("org/name", revision="v3")', "org/name", "v3"),
        ("snapshot_download(repo_id='org/name')", "org/name", ""),
        ("[name](https://huggingface.co/org/name/tree/v2)", "org/name", "v2"),
        ("model: org/name", "org/name", ""),
        ("MODEL_ID=org/name", "org/name", ""),
        ("--model org/name", "org/name", ""),
        ("--model-path=org/name", "org/name", ""),
        ("sglang serve --model-path org/name", "org/name", ""),
        ("vllm chat --model org/name", "org/name", ""),
        ("vllm bench serve --model org/name", "org/name", ""),
        ("text-generation-launcher --model-id org/name --revision v1", "org/name", "v1"),
        ("transformers serve org/name", "org/name", ""),
        (r"PS C:\Users\me> hf download org/name", "org/name", ""),
        ("curl -L -O https://hf.co/org/name/resolve/v1/model.safetensors", "org/name", "v1"),
        ("wget -c 'https://hf.co/org/name/resolve/main/config.json'", "org/name", "main"),
        ("GIT_LFS_SKIP_SMUDGE=1 git clone git@hf.co:org/name", "org/name", ""),
        ("git clone https://user:hf_abc@huggingface.co/org/name", "org/name", ""),
        ("uv run vllm serve org/name --tensor-parallel-size 2", "org/name", ""),
        ('vllm serve org/name --speculative-config \'{"model": "a/b"}\'', "org/name", ""),
        ("docker run -d vllm/vllm-openai:v0.11.0 org/name --port 8000", "org/name", ""),
        ("docker run ghcr.io/x/tei:1 --model-id org/name --port 80", "org/name", ""),
        ("mlx_lm.server --model org/name", "org/name", ""),
        ("lmdeploy serve api_server --model-path org/name", "org/name", ""),
        ('llm = LLM(model="org/name", trust_remote_code=True)', "org/name", ""),
        ('pipe = pipeline("text-generation", model="org/name")', "org/name", ""),
        ('model = SentenceTransformer("org/name")', "org/name", ""),
        ('FastLanguageModel.from_pretrained(model_name="org/name")', "org/name", ""),
        ('AutoModel.from_pretrained("gpt2")', "gpt2", ""),
        ('hf_hub_download(repo_id="org/name", filename="c.json", revision="v2")', "org/name", "v2"),
        ('model_id = "org/name"', "org/name", ""),
        ('"model": "org/name",', "org/name", ""),
        ('{"model": "org/name", "messages": []}', "org/name", ""),
        ('curl http://x/v1/completions -d \'{"model": "org/name"}\'', "org/name", ""),
        ("* org/name", "org/name", ""),
        ("- org/name", "org/name", ""),
        ("models--org--name", "org/name", ""),
        ("models--gpt2", "gpt2", ""),
        (f"~/.cache/hub/models--org--name/snapshots/{'0a' * 20}", "org/name", "0a" * 20),
        (r"C:\Users\me\hub\models--org--name\blobs", "org/name", ""),
        ("org/name (main)", "org/name", "main"),
        ("org/name [v1.0]", "org/name", "v1.0"),
        ("org/name (branch: gptq-4bit-32g)", "org/name", "gptq-4bit-32g"),
        ("org/name · Hugging Face", "org/name", ""),
        ("org/name at main", "org/name", "main"),
        ("config.json · org/name at refs/pr/3", "org/name", "refs/pr/3"),
        ("org/name --revision v2", "org/name", "v2"),
        ("https://hf-mirror.com/org/name", "org/name", ""),
        ("hf-mirror.com/org/name/tree/v2", "org/name", "v2"),
        ("git clone https://hf-mirror.com/org/name", "org/name", ""),
        ("HF_ENDPOINT=https://hf-mirror.com hf download org/name", "org/name", ""),
    ],
)
def test_hugging_face_ids_and_addresses(typed: str, model_id: str, revision: str) -> None:
    name = hugging_face.model(typed)
    assert (name.id, name.revision) == (model_id, revision)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter a model ID"),
        ("   ", "Enter a model ID"),
        ("Qwen Qwen3", "contains a space"),
        ("Qwen/Qwen3\nx", "contains a space or a line break"),
        ("../../etc/passwd", "is not a model ID"),
        ("org/..", "two dots"),
        ("org/na--me", "two hyphens"),
        ("a/b/c", "one slash"),
        ("<script>alert(1)</script>", "is not a model ID"),
        ("<b>org/name</b>", "is not a model ID"),
        ("örg/näme", "letters a-z"),
        ("org/名前", "letters a-z"),
        ("x" * 500, "at most 96 characters"),
        ("-org/name", "hyphen or dot at an end"),
        ("org/name.git", "“.git”"),
        ("gemma3:4b", "name of Ollama"),
        ("https://example.com/org/name", "not a page of huggingface.co"),
        ("https://huggingface.co/datasets/org/name", "a dataset, not a model"),
        ("https://huggingface.co/", "is not a model ID"),
        ("http://[", "is not an address"),
        ("https://huggingface.co/papers/2501.1", "a paper, not a model"),
        ("https://huggingface.co/docs/hub", "documentation, not a model"),
        ("https://huggingface.co/collections/a/b-1", "a collection, not a model"),
        ("hf://datasets/a/b", "a dataset, not a model"),
        ("hf download --repo-type space a/b", "a Space, not a model"),
        ("https://huggingface.co/org/name/tree/main/onnx", "“onnx”, a part of org/name"),
        ("https://huggingface.co/org/name/discussions/7", "a discussion about org/name"),
        ("https://huggingface.co/org/name/blob/main/m-Q8_0.gguf", "a GGUF file"),
        ("hf download org/name m-Q8_0.gguf", "a GGUF file"),
        ("ollama run gemma3", "name of Ollama"),
        ("hf download a/b\nhf download c/d", "a space or a line break"),
        ("rm -rf org/name", "contains a space"),
        ("hf cache rm org/name", "contains a space"),
        (r"C:\models\Qwen3-8B", "a place on a computer"),
        ("/home/me/models/Qwen3-8B", "a place on a computer"),
        ("~/models/Qwen3-8B", "a place on a computer"),
        ("hf_AbCdEfGhIjKlMnOpQrStUvWx", "This is a token of Hugging Face"),
        ("https://hf.co/spaces/a/b?model=org/name", "a Space, not a model"),
        ("https://hf-mirror.com/datasets/a/b", "a dataset, not a model"),
        ("org/name (7B)", "does not say what “7B” is"),
        ("org/name main", "contains a space"),
        ("HF_ENDPOINT=https://hub.corp hf download org/name", "is meant for “hub.corp”"),
        ("modelscope download --model org/name", "is meant for ModelScope"),
        ("https://www.modelscope.cn/models/org/name/summary", "is meant for ModelScope"),
        ("VLLM_USE_MODELSCOPE=True vllm serve org/name", "is meant for ModelScope"),
    ],
)
def test_what_is_no_id_of_hugging_face(typed: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said) as caught:
        hugging_face.model(typed)
    assert caught.value.field == "model_id"
    assert len(caught.value.message) < 250


@pytest.mark.parametrize(
    ("typed", "model_id", "manifest"),
    [
        ("gemma3", "gemma3:latest", "registry.ollama.ai/library/gemma3/latest"),
        ("gemma3:4b", "gemma3:4b", "registry.ollama.ai/library/gemma3/4b"),
        ("library/gemma3:4b", "gemma3:4b", "registry.ollama.ai/library/gemma3/4b"),
        ("user/model:tag", "user/model:tag", "registry.ollama.ai/user/model/tag"),
        (
            "registry.ollama.ai/user/model",
            "user/model:latest",
            "registry.ollama.ai/user/model/latest",
        ),
        ("ollama run gemma3:4b", "gemma3:4b", "registry.ollama.ai/library/gemma3/4b"),
        ("ollama pull  user/model", "user/model:latest", "registry.ollama.ai/user/model/latest"),
        (
            "https://ollama.com/library/gemma3:4b",
            "gemma3:4b",
            "registry.ollama.ai/library/gemma3/4b",
        ),
        (
            "https://ollama.com/library/gemma3/tags",
            "gemma3:latest",
            "registry.ollama.ai/library/gemma3/latest",
        ),
        ("ollama.com/user/model:8b/blobs/abc", "user/model:8b", "registry.ollama.ai/user/model/8b"),
        ("hf.co/user/repo.x:Q4_K_M", "hf.co/user/repo.x:Q4_K_M", "hf.co/user/repo.x/Q4_K_M"),
        ("https://huggingface.co/user/repo", "hf.co/user/repo:latest", "hf.co/user/repo/latest"),
        ("HF.co/user/repo", "hf.co/user/repo:latest", "hf.co/user/repo/latest"),
        ("$ ollama run gemma3:4b --verbose", "gemma3:4b", "registry.ollama.ai/library/gemma3/4b"),
        ('ollama run gemma3:4b "Why?"', "gemma3:4b", "registry.ollama.ai/library/gemma3/4b"),
        (
            "docker exec -it ollama ollama pull gemma3:4b",
            "gemma3:4b",
            "registry.ollama.ai/library/gemma3/4b",
        ),
        ("model:4b", "model:4b", "registry.ollama.ai/library/model/4b"),
        (
            "https://registry.ollama.ai/v2/library/gemma3/manifests/4b",
            "gemma3:4b",
            "registry.ollama.ai/library/gemma3/4b",
        ),
        ("llama-server -hf user/repo:Q8_0", "hf.co/user/repo:Q8_0", "hf.co/user/repo/Q8_0"),
        ("FROM hf.co/user/repo:Q8_0", "hf.co/user/repo:Q8_0", "hf.co/user/repo/Q8_0"),
        ("hf download user/repo", "hf.co/user/repo:latest", "hf.co/user/repo/latest"),
        ("llama serve -hf user/repo:Q8_0", "hf.co/user/repo:Q8_0", "hf.co/user/repo/Q8_0"),
        ("llama-mtmd-cli -hf user/repo:Q8_0", "hf.co/user/repo:Q8_0", "hf.co/user/repo/Q8_0"),
        ("docker model run hf.co/user/repo:Q8", "hf.co/user/repo:Q8", "hf.co/user/repo/Q8"),
        (
            "ollama launch claude --model gemma3:4b",
            "gemma3:4b",
            "registry.ollama.ai/library/gemma3/4b",
        ),
        (
            'curl http://localhost:11434/api/generate -d \'{"model": "gemma3:4b"}\'',
            "gemma3:4b",
            "registry.ollama.ai/library/gemma3/4b",
        ),
        (
            "OLLAMA_HOST=0.0.0.0 ollama run gemma3:4b",
            "gemma3:4b",
            "registry.ollama.ai/library/gemma3/4b",
        ),
        (
            'hf download user/repo --include "*Q5_K_M*"',
            "hf.co/user/repo:Q5_K_M",
            "hf.co/user/repo/Q5_K_M",
        ),
    ],
)
def test_ollama_names_addresses_and_commands(typed: str, model_id: str, manifest: str) -> None:
    name = ollama.model(typed)
    assert name.id == model_id
    assert name.manifest_path == f"manifests/{manifest}"
    assert ollama.model(name.id) == name


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter a name"),
        ("gemma 3", "contains a space"),
        ("ollama launch claude", "contains a space"),
        ("ollama list", "contains a space"),
        ("/root/.ollama/models/blobs", "a place on a computer"),
        ("gemma3:", "a tag takes"),
        (":4b", "a model takes"),
        ("../gemma3", "a namespace takes"),
        ("user/..", "a model takes"),
        ("user/a..b", "a model takes"),
        ("user.name/model", "a namespace takes"),
        ("ghcr.io/user/model:tag", "can't be imported"),
        ("https://example.com/x", "can't be imported"),
        ("a/b/c/d", "is not a name of Ollama"),
        ("<img src=x>", "contains a space"),
        ("<b>x</b>", "is not a name of Ollama"),
        ("modèle", "a model takes"),
        ("x" * 500, "up to 80"),
        ("gemma3:" + "x" * 81, "a tag takes up to 80"),
        ("hf.co/repo", "is not a name of Ollama"),
        ("https://ollama.com/search?q=x", "another page, not a model"),
        ("https://huggingface.co/datasets/a/b", "a dataset, not a model"),
        ("https://huggingface.co/a/b/tree/refs/pr/1", "names the revision “refs/pr/1”"),
        ("hf download a/b --revision v2", "names the revision “v2”"),
        ("https://huggingface.co/a/b/tree/main/Q8_0", "does not say which quantization"),
        ("https://huggingface.co/a/b/blob/main/mmproj-F16.gguf", "does not say which"),
        ("hf download a/b x-Q4_0.gguf x-Q8_0.gguf", "does not say which quantization"),
        ("a/b (v2)", "names the revision “v2”"),
        ("a/b (7B)", "does not say what “7B” is"),
        ("https://modelscope.cn/models/a/b-GGUF", "is meant for ModelScope"),
    ],
)
def test_what_is_no_name_of_ollama(typed: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said) as caught:
        ollama.model(typed)
    assert caught.value.field == "model_id"
    assert len(caught.value.message) < 250


@pytest.mark.parametrize(
    "typed",
    ["https://ollama.com/library/gemma3", " OLLAMA.com/gemma3\n", "registry.ollama.ai/user/model"],
)
def test_the_page_of_another_hub(typed: str) -> None:
    with pytest.raises(InvalidInputError, match="is a model of Ollama") as caught:
        hubs.inspect("huggingface", typed, Settings())
    assert caught.value.field == "model_id"
    assert caught.value.fix
    assert caught.value.fix.text == "Choose Ollama as the source."


@pytest.mark.parametrize(
    ("file", "tag"),
    [
        ("b-Q8_0.gguf", "Q8_0"),
        ("b.Q4_K_M.gguf", "Q4_K_M"),
        ("b-q4_k_s.gguf", "Q4_K_S"),
        ("b-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("b-IQ2_XXS.gguf", "IQ2_XXS"),
        ("b-7B-BF16.gguf", "BF16"),
        ("gpt-oss-20b-MXFP4.gguf", "MXFP4"),
        ("b-Q8_0-00001-of-00003.gguf", "Q8_0"),
        ("Q6_K/b-Q6_K-00001-of-00002.gguf", "Q6_K"),
        ("b.gguf", "b.gguf"),
        ("model-fp16.gguf", "model-fp16.gguf"),
    ],
)
@pytest.mark.parametrize(
    "address",
    [
        "https://huggingface.co/a/b-GGUF/blob/main/{}",
        "https://huggingface.co/a/b-GGUF/resolve/main/{}?download=true",
        "https://huggingface.co/a/b-GGUF/raw/main/{}",
        "https://huggingface.co/a/b-GGUF?show_file_info={}",
        "https://huggingface.co/a/b-GGUF/tree/main?show_file_info={}",
        "[file](https://huggingface.co/a/b-GGUF/blob/main/{})",
        "hf://a/b-GGUF/{}",
        "hf download a/b-GGUF {}",
        "llama-server --hf-repo a/b-GGUF --hf-file {}",
        "wget https://huggingface.co/a/b-GGUF/resolve/main/{}",
        "hf.co/a/b-GGUF/{}",
    ],
)
def test_the_address_of_one_gguf_file_is_its_quantization(
    address: str, file: str, tag: str
) -> None:
    assert ollama.model(address.format(file)).id == f"hf.co/a/b-GGUF:{tag}"
    with pytest.raises(InvalidInputError) as caught:
        hugging_face.model(address.format(file))
    assert caught.value.fix
    assert f"enter hf.co/a/b-GGUF:{tag}." in caught.value.fix.text


@pytest.mark.parametrize(
    ("typed", "mirror"),
    [
        ("https://hf-mirror.com/org/name/tree/main", "hf-mirror.com"),
        ("export HF_ENDPOINT=https://hf-mirror.com\nhf download org/name", "hf-mirror.com"),
        (
            'os.environ["HF_ENDPOINT"] = "https://alpha.hf-mirror.com"; LLM("org/name")',
            "alpha.hf-mirror.com",
        ),
        ("https://huggingface.co/org/name", ""),
        ("org/name", ""),
    ],
)
def test_a_mirror_is_told(typed: str, mirror: str) -> None:
    assert hugging_face.model(typed).id == "org/name"
    told = f"{mirror} is a mirror of Hugging Face. The same model is imported from https://a.b."
    assert addresses.about_mirror(typed, "https://a.b") == ((told,) if mirror else ())


def test_pages_of_the_hub_that_is_configured_are_known() -> None:
    typed = "https://hub.corp/org/name/tree/v2"
    name = hugging_face.model(typed, "https://hub.corp")
    assert (name.id, name.revision) == ("org/name", "v2")
    with pytest.raises(InvalidInputError) as caught:
        hugging_face.model(typed)
    assert caught.value.fix
    assert caught.value.fix.text == "Enter org/name if this is a mirror of it."


def test_two_revisions_are_asked_about() -> None:
    with pytest.raises(InvalidInputError, match="“v1” with the model, and “v2”") as caught:
        hubs.inspect("huggingface", "org/name@v1", Settings(), revision="v2")
    assert caught.value.field == "revision"


def test_a_hub_that_is_none() -> None:
    said = "'zml' is not a source: use 'huggingface' or 'ollama'"
    with pytest.raises(InvalidInputError, match=said) as caught:
        hubs.inspect("zml", "a/b", Settings())
    assert caught.value.field == "source"
    assert hubs.label("zml") == "zml"
    assert hubs.page("zml", "a/b", Settings()) == ""


@given(st.text(max_size=600))
def test_any_text_is_an_id_or_a_sentence(text: str) -> None:
    for read in (hugging_face.model, ollama.model):
        try:
            model_id = read(text).id
        except InvalidInputError:
            continue
        assert model_id.isascii()
        assert ".." not in model_id
        assert not set(model_id) & set("<>&\"' \\\n")


def test_revisions() -> None:
    assert hugging_face.revision("") == ""
    for good in ("main", "v1.0", "refs/pr/3", "0a1b2c3", "feature/x-y", "v1+cu=1@x#y"):
        assert hugging_face.revision(f" {good} ") == good
    for bad in ("../x", "a b", "-x", "a..b", "x/", "ü", "x" * 300, "<b>", "a.lock", "a//b"):
        with pytest.raises(InvalidInputError) as caught:
            hugging_face.revision(bad)
        assert caught.value.field == "revision"


@pytest.mark.parametrize(
    "form", ["http://127.0.0.1:{}/org/name", "HF_ENDPOINT=http://127.0.0.1:{} hf download org/name"]
)
def test_the_port_is_a_part_of_the_hub_that_is_configured(form: str) -> None:
    endpoint = "http://127.0.0.1:9000"
    assert hugging_face.model(form.format(9000), endpoint).id == "org/name"
    with pytest.raises(InvalidInputError, match=r"127\.0\.0\.1"):
        hugging_face.model(form.format(9001), endpoint)


@pytest.mark.parametrize(
    "copied",
    [
        "hf_abc",
        "'hf_abc'",
        '"hf_abc"',
        "`hf_abc`",
        "HF_TOKEN=hf_abc",
        'export HF_TOKEN="hf_abc"',
        "HUGGING_FACE_HUB_TOKEN=hf_abc",
        "Bearer hf_abc",
        "Authorization: Bearer hf_abc",
    ],
)
def test_a_token_is_taken_out_of_what_stood_around_it(copied: str) -> None:
    assert hugging_face.token(f" {copied}\n") == "hf_abc"


def test_a_token_is_one_word_and_never_repeated() -> None:
    assert hugging_face.token("  hf_abc\n") == "hf_abc"
    assert hugging_face.token("") == ""
    for bad in ("sk-x", "ghp_x", "hf_a\nb", "hf_a b", "hf_\u200b", "hf_ü"):
        with pytest.raises(InvalidInputError) as caught:
            hugging_face.token(bad)
        assert caught.value.field == "token"
        assert bad not in str(caught.value)
