"""The model's files: the mounted bucket, and the memory in which they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain.services import BUCKET_ANNOTATION
from llm_widgets.serving.codec.places import Json, container_of, differs, template_of
from llm_widgets.serving.codec.settings import gib

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llm_widgets.domain.services import Deployment

_FOLDER = "only-dir="
_CACHE = "cache-dir="
_CACHE_VOLUME = "cache-dir=cr-volume:"
_CACHE_OPTIONS = (
    "file-cache-max-size-mb=-1",
    "file-cache-enable-parallel-downloads=true",
    "file-cache-cache-file-for-range-read=true",
)


def read(service: Mapping[str, Any]) -> Json:
    """Read which folder of which bucket is mounted where, and how."""
    volume = _volume(service)
    options = _options(volume)
    own = {*_folder_options(options), *_cache_options(options)}
    mounts = container_of(service).get("volumeMounts", [])
    named = [mount for mount in mounts if mount["name"] == volume.get("name")]
    annotated = service.get("annotations", {}).get(BUCKET_ANNOTATION, "")
    return {
        "bucket": volume.get("gcs", {}).get("bucket") or annotated,
        "folder": next((o.removeprefix(_FOLDER) for o in _folder_options(options)), ""),
        "mount_path": named[-1].get("mountPath", "") if named else "",
        "mount_options": tuple(option for option in options if option not in own),
        "cache_gib": int(gib(_cache(service).get("emptyDir", {}).get("sizeLimit", "0"))),
    }


def write(service: Json, before: Deployment | None, after: Deployment) -> None:
    """Write what differs of it; a service that mounts no bucket gets none."""
    volume = _volume(service)
    if not volume:
        return
    if differs(before, after, "bucket"):
        volume["gcs"]["bucket"] = after.bucket
    if differs(before, after, "mount_path"):
        for mount in container_of(service)["volumeMounts"]:
            if mount["name"] == volume["name"]:
                mount["mountPath"] = after.mount_path
    if differs(before, after, "folder", "mount_options", "cache_gib"):
        there = _options(volume)
        folder, cache = _folder_options(there), _cache_options(there)
        if differs(before, after, "folder"):
            folder = [f"{_FOLDER}{after.folder}"] if after.folder else []
        if differs(before, after, "cache_gib"):
            cache = _resized(service, cache, after.cache_gib)
        volume["gcs"]["mountOptions"] = [*folder, *after.mount_options, *cache]


def _volume(service: Mapping[str, Any]) -> Json:
    """Return the volume of the model's bucket: the container's first of Cloud Storage."""
    mounted = [mount["name"] for mount in container_of(service).get("volumeMounts", [])]
    volumes: list[Json] = template_of(service).get("volumes", [])
    return next((v for v in volumes if "gcs" in v and v["name"] in mounted), {})


def _options(volume: Mapping[str, Any]) -> list[str]:
    options: list[str] = volume.get("gcs", {}).get("mountOptions", [])
    return options


def _folder_options(options: Sequence[str]) -> list[str]:
    return [option for option in options if option.startswith(_FOLDER)]


def _cache_options(options: Sequence[str]) -> list[str]:
    """Return the options about the cache.

    Where there is no cache, an option about it is like any other: that is what is wrong with it.
    """
    if not any(option.startswith(_CACHE) for option in options):
        return []
    return [option for option in options if option.startswith((_CACHE, "file-cache-"))]


def _cache(service: Mapping[str, Any]) -> Json:
    """Return the volume that the options name as the cache; an empty one where there is none."""
    options = _options(_volume(service))
    name = next((o.removeprefix(_CACHE_VOLUME) for o in options if o.startswith(_CACHE_VOLUME)), "")
    volumes: list[Json] = template_of(service).get("volumes", [])
    return next((v for v in volumes if v["name"] == name and "emptyDir" in v), {})


def _resized(service: Json, options: list[str], size: int) -> list[str]:
    """Set the cache to another size in GiB, 0 for none, and return the options about it."""
    cache = _cache(service)
    if not size:
        _remove(service, cache)
        return []
    if cache:
        cache["emptyDir"]["sizeLimit"] = f"{size}Gi"
        return options
    volumes = template_of(service)["volumes"]
    # "cache", unless another volume has that name.
    name = "cache"
    while name in [volume["name"] for volume in volumes]:
        name = f"model-{name}"
    memory = {"medium": "MEMORY", "sizeLimit": f"{size}Gi"}
    volumes.append({"name": name, "emptyDir": memory})
    # Cloud Storage FUSE takes only a volume that the container mounts too.
    container_of(service)["volumeMounts"].append({"name": name, "mountPath": f"/{name}"})
    return [f"{_CACHE_VOLUME}{name}", *_CACHE_OPTIONS]


def _remove(service: Json, volume: Json) -> None:
    """Unmount a volume, and remove it unless a sidecar mounts it too."""
    template, container = template_of(service), container_of(service)
    if not volume:
        return
    mounts = container["volumeMounts"]
    mounts[:] = [mount for mount in mounts if mount["name"] != volume["name"]]
    used = [m["name"] for each in template["containers"] for m in each.get("volumeMounts", [])]
    if volume["name"] not in used:
        template["volumes"].remove(volume)
