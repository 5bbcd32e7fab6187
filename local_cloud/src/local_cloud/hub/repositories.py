"""Model repositories as the Hugging Face Hub keeps them: commits, branches and tags."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from local_cloud.hub.blobs import Blob

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_cloud.hub.blobs import Blobs

_ID = re.compile(r"[A-Za-z0-9_][\w.-]*/[A-Za-z0-9_][\w.-]*", re.ASCII)
_SHORTEST_SHA = 7
_LFS_SIZE = 10 << 20  # bytes; from here on the hub takes no file into git itself
_LFS_SUFFIXES = frozenset({".safetensors", ".gguf", ".bin", ".pt", ".pth", ".onnx", ".h5"})


@dataclass(frozen=True, slots=True)
class Commit:
    """One state of a repository: every file by its path, and what led to it."""

    sha: str
    title: str
    date: str
    files: Mapping[str, Blob]
    parent: str = ""


@dataclass(slots=True)
class Repository:
    """A model repository.

    Attributes
    ----------
    gated
        ``"auto"`` or ``"manual"`` when a licence must be accepted first, else ``False``.
    card
        The metadata at the top of a model card: ``license``, ``base_model``, …
    branches, tags
        Names to commit shas.
    commits
        By sha, oldest first.
    """

    id: str
    private: bool = False
    gated: Literal["auto", "manual", False] = False
    disabled: bool = False
    card: dict[str, Any] = field(default_factory=dict)
    pipeline_tag: str = "text-generation"
    library_name: str = "transformers"
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)

    def commit(self, revision: str) -> Commit | None:
        """Find a commit by branch, tag, sha, or a unique beginning of a sha."""
        name = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        sha = self.branches.get(name) or self.tags.get(name) or revision
        if sha in self.commits:
            return self.commits[sha]
        if len(revision) < _SHORTEST_SHA:
            return None
        found = [commit for sha, commit in self.commits.items() if sha.startswith(revision)]
        return found[0] if len(found) == 1 else None

    def history(self, commit: Commit) -> list[Commit]:
        """Return a commit and those before it, newest first."""
        found = [commit]
        while found[-1].parent:
            found.append(self.commits[found[-1].parent])
        return found


def is_lfs(path: str, size: int) -> bool:
    """Return whether the hub keeps such a file outside git (and redirects its downloads)."""
    return size >= _LFS_SIZE or PurePosixPath(path).suffix in _LFS_SUFFIXES


class Repositories:
    """The repositories of a folder: each one is ``<org>/<name>/repository.json``."""

    def __init__(self, folder: Path, blobs: Blobs) -> None:
        self._folder = folder
        self._blobs = blobs

    def ids(self) -> list[str]:
        """List the ids of all repositories, sorted."""
        found = self._folder.glob("*/*/repository.json")
        return sorted(f"{path.parent.parent.name}/{path.parent.name}" for path in found)

    def spelled(self, repo_id: str) -> str:
        """Return how a repository is written whose id differs in case; empty for none."""
        wanted = repo_id.lower()
        return next((each for each in self.ids() if each.lower() == wanted), "")

    def get(self, repo_id: str) -> Repository | None:
        """Read a repository; ids that break the grammar belong to none."""
        if not _ID.fullmatch(repo_id) or ".." in repo_id:
            return None
        try:
            data = json.loads(self._index(repo_id).read_bytes())
        except FileNotFoundError:
            return None
        commits = {
            sha: Commit(
                **{
                    **commit,
                    "files": {path: Blob(**blob) for path, blob in commit["files"].items()},
                }
            )
            for sha, commit in data.pop("commits").items()
        }
        return Repository(**data, commits=commits)

    def save(self, repository: Repository) -> None:
        """Write a repository, at once and whole."""
        index = self._index(repository.id)
        index.parent.mkdir(parents=True, exist_ok=True)
        new = index.with_suffix(".new")
        new.write_text(json.dumps(asdict(repository), indent=1))
        new.replace(index)

    def add_commit(
        self,
        repository: Repository,
        changes: Mapping[str, bytes | Path | Blob | None],
        *,
        title: str,
        date: str,
        branch: str = "main",
    ) -> Commit:
        """Change files on top of a branch, move the branch, and save the repository.

        Parameters
        ----------
        changes
            New contents by path: bytes, a file to take in, or a stored blob; ``None``
            removes the file.
        date
            ISO 8601, for example ``2026-11-01T00:00:00.000Z``.
        """
        parent = repository.branches.get(branch, "")
        files = dict(repository.commits[parent].files) if parent else {}
        for path, content in changes.items():
            if content is None:
                files.pop(path, None)
            else:
                files[path] = self._stored(content)
        named = {path: blob.git_sha1 for path, blob in sorted(files.items())}
        text = json.dumps([repository.id, parent, title, date, named])
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        commit = Commit(sha=sha, title=title, date=date, files=files, parent=parent)
        repository.commits[sha] = commit
        repository.branches[branch] = sha
        self.save(repository)
        return commit

    def _stored(self, content: bytes | Path | Blob) -> Blob:
        if isinstance(content, Blob):
            return content
        if isinstance(content, Path):
            return self._blobs.add_file(content)
        return self._blobs.add(content)

    def _index(self, repo_id: str) -> Path:
        return self._folder / repo_id / "repository.json"
