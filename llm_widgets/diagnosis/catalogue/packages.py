"""Images whose packages, libraries and folders are not what a program needs."""

from __future__ import annotations

from llm_widgets.domain.failures.advice import DEFAULT_IMAGE, NEWER_IMAGE
from llm_widgets.domain.failures.known_failure import KnownFailure, Rank, anywhere, logged
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

_OFFICIAL = Advice(
    RemedyKind.NONE,
    "Use the engine's official image unchanged; or another version, if you already use it.",
)
_BUILD = Advice(
    RemedyKind.NONE,
    "Or build an image of your own from it that has the package, and name that image.",
)
_BUILD_PROGRAM = Advice(
    RemedyKind.NONE,
    "Or build an image of your own from it that has the program, and name that image.",
)
_FOR_CUDA = Advice(
    RemedyKind.NONE,
    "Use an image for CUDA: the tag that the project has for NVIDIA GPUs; in an image of your own, "
    "install the package's build for CUDA, as from https://download.pytorch.org/whl/cu128.",
)
_PROGRAMS = (
    r"ninja|make|cmake|cargo|rustc|git|git-lfs|ffmpeg|ffprobe|sox|nvidia-smi|ldconfig|lspci|"
    r"numactl|curl|wget|unzip|espeak(?:-ng)?|tesseract|node|npm|uv"
)

FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="library-missing",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"ImportError: (?P<library>(?!libcuda\.so)lib[\w.+-]{1,60}\.so[\w.]{0,12}): "
                r"cannot open shared object "
                r"file"
            ),
            logged(
                r"error while loading shared libraries: "
                r"(?P<library>(?!libcuda\.so)[\w.+-]{1,60}): cannot open"
            ),
            logged(r"Unable to load any of \{(?P<library>lib[\w.+-]{1,60})"),
            logged(
                r"Could not load library (?P<library>(?!libcuda\.so)lib[\w.+-]{1,60}?)\.? Error"
            ),
            logged(
                r"Library (?P<library>(?!libcuda\.so)lib[\w.+-]{1,60}) is not found or cannot be "
                r"loaded"
            ),
            logged(r"version `?(?P<library>\w{1,20}_[\d.]{1,12})'? not found"),
        ),
        causes=(
            (
                "The image lacks the library {library}: its programs were built for another CUDA "
                "or "
                "another system."
            ),
        ),
        advice=(DEFAULT_IMAGE, NEWER_IMAGE, _OFFICIAL),
        source="glibc: elf/dl-load.c",
    ),
    KnownFailure(
        id="packages-unfit",
        rank=Rank.ENGINE,
        signs=(
            logged(r"ImportError: (?P<library>[\w./+-]{1,200}\.so[\w.]{0,12}): undefined symbol"),
            logged(r"undefined symbol: (?P<symbol>\w{1,120})"),
            logged(r"operator (?P<symbol>\w{1,40}::\w{1,60}) does not exist"),
            logged(r"module 'torch[\w.]{0,40}' has no attribute '(?P<symbol>\w{1,60})'"),
            logged(
                r"(?P<library>numpy)\.(?:dtype|core\.\S{1,40}) size changed, may indicate binary"
            ),
            logged(r"compiled using NumPy 1\.x cannot be run in NumPy"),
        ),
        causes=(
            (
                "Packages of the image don't go together: {library} was built for another version "
                "of "
                "PyTorch or CUDA."
            ),
            "Packages of the image don't go together: {symbol} is missing.",
            "Packages of the image don't go together.",
        ),
        advice=(DEFAULT_IMAGE, NEWER_IMAGE, _OFFICIAL),
        source="vllm-project/vllm#21226",
    ),
    KnownFailure(
        id="package-versions",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"Error: (?P<package>[\w.-]{2,40}) version \(?(?P<have>\d[\w.+]{0,30})\)? does not "
                r"match (?P<other>[\w.-]{2,40}) version \(?(?P<wanted>\d[\w.+]{0,30})"
            ),
            logged(
                r"Detected that (?P<other>PyTorch) and (?P<package>\w{2,40}) were compiled with "
                r"different CUDA"
            ),
            logged(
                r"Error: (?P<requirement>[\w.-]{2,40}[<>=!~][\w.<>=!~,]{1,60}) is required for a "
                r"normal functioning of this module, but found "
                r"(?P<found>[\w.-]{2,40}==[\w.+]{1,30})"
            ),
        ),
        causes=(
            (
                "Versions of the image's packages don't go together: {package} is {have}, {other} "
                "is {wanted}."
            ),
            (
                "Versions of the image's packages don't go together: {package} and {other} are "
                "built for different versions of CUDA."
            ),
            (
                "Versions of the image's packages don't go together: {requirement} is needed, and "
                "{found} is there."
            ),
        ),
        advice=(DEFAULT_IMAGE, NEWER_IMAGE, _OFFICIAL),
        source="huggingface/transformers: src/transformers/utils/versions.py",
    ),
    KnownFailure(
        id="package-missing",
        rank=Rank.ENGINE,
        signs=(
            logged(r"ModuleNotFoundError: No module named ['\"]?(?P<package>[\w.]{1,80})"),
            logged(r"ImportError: No module named ['\"]?(?P<package>[\w.]{1,80})"),
            logged(
                r"packages that were not found in your environment: (?P<package>[\w., -]{1,80}?)\."
            ),
            logged(
                r"ImportError: .{0,80}?(?:requires?|needs?) (?:the )?(?P<package>[\w.-]{1,40}) "
                r"(?:library|package)"
            ),
            logged(
                r"[Pp]lease install (?:or update )?(?:the )?[`'\"]?(?P<package>(?!it\b|the\b|"
                r"or\b|same\b|a\b|an\b|latest\b|following\b|correct\b|required\b|missing\b|with\b|"
                r"package\b|version\b)[\w.\[\]-]{2,60})"
            ),
            logged(
                r"The '(?P<package>[\w.-]{1,60}?)(?:[<>=!~][^']{0,60})?' distribution was not found"
            ),
            logged(
                r"PackageNotFoundError: (?:No package metadata was found for "
                r")?(?P<package>(?!The\b)[\w.-]{1,60})"
            ),
            logged(r"requires [`'\"]?(?P<package>[\w-]{2,40})[`'\"]? to be installed"),
        ),
        causes=("The image lacks the Python package {package}.",),
        advice=(DEFAULT_IMAGE, NEWER_IMAGE, _BUILD),
        source="Python: Lib/importlib/_bootstrap.py",
    ),
    KnownFailure(
        id="program-missing",
        rank=Rank.ENGINE,
        signs=(
            # Programs that libraries start by their bare name, as they take them to be installed.
            logged(
                rf"FileNotFoundError: \[Errno 2\] No such file or directory: "
                rf"['\"](?P<program>{_PROGRAMS})['\"]"
            ),
            logged(r"ImportError: (?:Failed to initialize: )?Bad (?P<program>git) executable"),
        ),
        causes=("The image has no program {program} in its PATH, which a library starts.",),
        advice=(DEFAULT_IMAGE, NEWER_IMAGE, _OFFICIAL, _BUILD_PROGRAM),
        source="Python: Modules/_posixsubprocess.c; flashinfer-ai/flashinfer: flashinfer/jit",
    ),
    KnownFailure(
        id="built-for-cpu",
        rank=Rank.ENGINE,
        signs=(
            logged(r"AssertionError: Torch not compiled with CUDA enabled"),
            logged(r"This (?P<package>CTranslate2) package was not compiled with CUDA"),
            logged(
                r"NotImplementedError: Could not run '(?P<package>torch\w{2,10})::\w{1,60}' with "
                r"arguments from the 'CUDA' backend"
            ),
            logged(r"Error: .{0,80}?[Nn]ot (?:been )?compiled with (?:CUDA|GPU) support"),
        ),
        causes=(
            "{package} in the image is built for the CPU alone: it has no CUDA.",
            "PyTorch or another library of the image is built for the CPU alone: it has no CUDA.",
        ),
        advice=(DEFAULT_IMAGE, _FOR_CUDA),
        source="pytorch/pytorch: torch/cuda/__init__.py; OpenNMT/CTranslate2: src/cuda/utils.cc",
    ),
    KnownFailure(
        id="cache-read-only",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"Read-only file system: ['\"]?(?P<path>/[^'\"\s]{0,200}\.?(?:cache|triton|config|"
                r"inductor)[^'\"\s]{0,200})"
            ),
            logged(
                r"Permission denied: ['\"]?(?P<path>/[^'\"\s]{0,200}\.?(?:cache|triton|config|"
                r"inductor)[^'\"\s]{0,200})"
            ),
            anywhere(r"mkdir (?P<path>/[\w/-]{0,60}\.\w{1,30}[\w/.-]{0,60}): permission denied"),
            logged(r"no writable cache|cache dir\w{0,10} is not writable"),
            # numba, Python and Matplotlib: none of the folders that they try can be written.
            logged(r"cannot cache function '\w{1,80}': no locator available"),
            logged(r"No usable temporary directory found in"),
            logged(r"MPLCONFIGDIR environment variable to a writable directory"),
        ),
        causes=(
            "The engine can't write its cache to {path}: the folder is read-only.",
            "The engine can't write its cache to a read-only folder.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with its caches under /tmp.",
                {"environment": "{cache_variables}"},
            ),
            Advice(RemedyKind.NONE, "Name folders under /tmp for its caches, by its variables."),
        ),
        source="Linux: texts of EROFS and EACCES",
    ),
    KnownFailure(
        id="user-unknown",
        rank=Rank.ENGINE,
        signs=(
            logged(r"getpwuid\(\): uid not found"),
            logged(r"\$HOME is not defined"),
            logged(r"neither \$XDG_CACHE_HOME nor \$HOME are defined"),
            logged(r"Could not determine home directory"),
            logged(r"Can't determine home directory"),
        ),
        causes=("The image's user has no name or no home folder, which a library asks for.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with a name and a home folder: USER=app and HOME=/tmp.",
                {"environment": "USER=app;LOGNAME=app;HOME=/tmp"},
            ),
            DEFAULT_IMAGE,
            _OFFICIAL,
        ),
        source="vllm-project/vllm#44548",
    ),
    KnownFailure(
        id="port-in-use",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"\[Errno 98\]"),
            anywhere(r"(?:bind|listen|port).{0,80}?address already in use"),
            anywhere(r"address already in use"),
            anywhere(r"couldn't bind (?:HTTP server|to server|server) socket"),
        ),
        causes=("A port can't be used: another program in the container listens on it.",),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Give each program in the container a port of its own, and name the engine's in "
                "the "
                "deployment.",
            ),
        ),
        source="Linux: text of EADDRINUSE",
    ),
)
