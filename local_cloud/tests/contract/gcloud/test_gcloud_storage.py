"""``gcloud storage`` as an independent client of Cloud Storage."""

from __future__ import annotations

import base64
import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import google_crc32c
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from local_cloud.cloud import LocalCloud
    from local_cloud.testing.gcloud import Gcloud

pytestmark = [pytest.mark.gcloud, pytest.mark.slow]

MEMBER = "serviceAccount:manager@local-project.iam.gserviceaccount.com"
MIB = 1 << 20
# Sizes on either side of where gcloud changes from one way of uploading to another.
RESUMABLE = 9 * MIB  # its threshold is 8 MiB
COMPOSITE = 24 * MIB  # its threshold is 150 MiB, here 16
IN_PARTS: dict[str, Any] = {
    "storage_parallel_composite_upload_enabled": "True",
    "storage_parallel_composite_upload_threshold": "16Mi",
    "storage_parallel_composite_upload_component_size": "9Mi",
}


def crc32c(content: bytes) -> str:
    return base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()


def written(path: Path, content: bytes) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return content


def names(gcloud: Gcloud, url: str) -> list[str]:
    return gcloud.run("storage", "ls", "-r", f"{url}/**").stdout.decode().split()


def test_a_bucket_from_its_making_to_its_end(gcloud: Gcloud) -> None:
    url = "gs://gcloud-bucket"
    flags = ("--location=europe-west1", "--uniform-bucket-level-access")
    gcloud.run("storage", "buckets", "create", url, *flags, "--public-access-prevention")
    gcloud.run("storage", "buckets", "update", url, "--update-labels=team=llm,stage=test")
    role = "roles/storage.objectViewer"
    gcloud.run(
        "storage", "buckets", "add-iam-policy-binding", url, f"--member={MEMBER}", f"--role={role}"
    )
    bucket, listed, policy = gcloud.answers(
        f"storage buckets describe {url}",
        "storage buckets list",
        f"storage buckets get-iam-policy {url}",
    )
    assert bucket["location"] == "EUROPE-WEST1"
    assert bucket["labels"] == {"team": "llm", "stage": "test"}
    assert bucket["uniform_bucket_level_access"] is True
    assert bucket["public_access_prevention"] == "enforced"
    assert bucket in listed
    assert {"role": role, "members": [MEMBER]} in policy["bindings"]
    taken = gcloud.refusal("storage", "buckets", "create", url)
    assert "409" in taken
    assert "you already own it" in taken
    gcloud.run("storage", "buckets", "delete", url)
    assert "not found: 404" in gcloud.refusal("storage", "buckets", "describe", url)


def test_every_way_of_uploading_keeps_every_byte(
    gcloud: Gcloud, cloud: LocalCloud, tmp_path: Path
) -> None:
    url = "gs://gcloud-bytes"
    gcloud.run("storage", "buckets", "create", url)
    noise = random.Random(7)
    tree = tmp_path / "tree"
    # Ends and beginnings of lines are where a multipart body is easily read wrongly.
    text = written(tree / "text ü.txt", b"\r\none\n\n--two\r\n\n")
    small = written(tree / "sub" / "small.bin", noise.randbytes(MIB))
    middle = written(tree / "sub" / "middle.bin", noise.randbytes(RESUMABLE))
    large = written(tmp_path / "large.bin", noise.randbytes(COMPOSITE))
    with ThreadPoolExecutor(2) as pool:
        several = pool.submit(gcloud.run, "storage", "cp", "-r", str(tree), url)
        gcloud.run("storage", "cp", str(tmp_path / "large.bin"), f"{url}/large.bin", **IN_PARTS)
        several.result()
    contents = {
        "tree/text ü.txt": text,
        "tree/sub/small.bin": small,
        "tree/sub/middle.bin": middle,
        "large.bin": large,
    }
    listed, whole, hashed = gcloud.answers(
        f"storage objects list {url}/**",
        f"storage objects describe {url}/large.bin",
        f"storage hash {url}/tree/sub/middle.bin",
    )
    # gcloud has taken away the parts that the large one was made of.
    assert {each["name"]: each["size"] for each in listed} == {
        k: len(v) for k, v in contents.items()
    }
    assert {each["name"]: each["crc32c_hash"] for each in listed} == {
        name: crc32c(content) for name, content in contents.items()
    }
    assert whole["component_count"] >= 2
    assert "md5_hash" not in whole
    assert hashed[0]["crc32c_hash"] == crc32c(middle)

    down = tmp_path / "down"
    down.mkdir()
    with ThreadPoolExecutor(2) as pool:
        printed = pool.submit(gcloud.run, "storage", "cat", f"{url}/tree/text ü.txt")
        total = pool.submit(gcloud.run, "storage", "du", "--summarize", url)
        gcloud.run("storage", "cp", "-r", f"{url}/*", str(down))
    assert printed.result().stdout == text
    assert int(total.result().stdout.split()[0]) == sum(map(len, contents.values()))
    for name, content in contents.items():
        assert (down / name).read_bytes() == content
        mounted = cloud.credentials.parent / "buckets" / "gcloud-bytes" / name
        assert mounted.read_bytes() == content


def test_folders_are_synchronised_moved_and_removed(gcloud: Gcloud, tmp_path: Path) -> None:
    url = "gs://gcloud-folders"
    gcloud.run("storage", "buckets", "create", url)
    here = tmp_path / "here"
    for name in ("one", "two", "sub/three"):
        written(here / name, name.encode())
    gcloud.run("storage", "rsync", "-r", str(here), f"{url}/f")
    assert names(gcloud, url) == [f"{url}/f/one", f"{url}/f/sub/three", f"{url}/f/two"]
    (here / "two").unlink()
    changed = written(here / "sub" / "three", b"3, and longer")
    flag = "--delete-unmatched-destination-objects"
    gcloud.run("storage", "rsync", "-r", flag, str(here), f"{url}/f")
    back = tmp_path / "back"
    back.mkdir()
    gcloud.run("storage", "rsync", "-r", f"{url}/f", str(back))
    assert {p.relative_to(back).as_posix() for p in back.rglob("*") if p.is_file()} == {
        "one",
        "sub/three",
    }
    assert (back / "sub" / "three").read_bytes() == changed
    gcloud.run("storage", "mv", f"{url}/f/sub", f"{url}/g")
    assert names(gcloud, url) == [f"{url}/f/one", f"{url}/g/three"]
    assert gcloud.run("storage", "cat", f"{url}/g/three").stdout == changed
    gcloud.run("storage", "rm", "-r", url)
    assert "not found: 404" in gcloud.refusal("storage", "ls", url)


def test_an_upload_goes_on_after_a_failure(
    gcloud: Gcloud, cloud: LocalCloud, tmp_path: Path
) -> None:
    url = "gs://gcloud-failure"
    gcloud.run("storage", "buckets", "create", url)
    content = written(tmp_path / "file", random.Random(8).randbytes(RESUMABLE))
    failure = {"match": "^PUT .*/upload/storage", "status": 503, "times": 1}
    cloud.faults.update(failures=[failure])
    gcloud.run("storage", "cp", str(tmp_path / "file"), f"{url}/file")
    assert cloud.faults.settings()["failures"][0]["times"] == 0
    described = gcloud.json("storage", "objects", "describe", f"{url}/file")
    assert (described["size"], described["crc32c_hash"]) == (len(content), crc32c(content))


def test_what_is_refused_is_told_in_googles_words(
    gcloud: Gcloud, cloud: LocalCloud, tmp_path: Path
) -> None:
    url = "gs://gcloud-refused"
    gcloud.run("storage", "buckets", "create", url)
    file = tmp_path / "file"
    written(file, b"one")
    copy = ("storage", "cp", str(file), f"{url}/file", "--if-generation-match=0")
    gcloud.run(*copy)
    assert "pre-conditions you specified did not hold" in gcloud.refusal(*copy)
    denied = ["storage.objects.create", "storage.buckets.list"]
    cloud.faults.update(denied_permissions=denied)
    copied, listed = gcloud.refusals(f"storage cp {file} {url}/other", "storage buckets list")
    assert "does not have storage.objects.create access" in copied
    assert "does not have storage.buckets.list access" in listed
    cloud.faults.reset()
    assert names(gcloud, url) == [f"{url}/file"]
