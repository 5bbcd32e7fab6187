"""Classes of errors: files, storage, permissions and the network."""

from __future__ import annotations

from llm_widgets.diagnosis.classes.error_class import ErrorClass, words
from llm_widgets.diagnosis.classes.steps import BUCKET, FIND, MISSING, OTHER_IMAGE
from llm_widgets.domain.failures.advice import IMPORT_AGAIN, MORE_MEMORY, MOUNT_AGAIN, RETRY
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

CLASSES: tuple[ErrorClass, ...] = (
    ErrorClass(
        "error-read-only",
        "The program can't write to a folder: it is read only, or the program's user lacks the "
        "right.",
        (
            Advice(
                RemedyKind.NONE,
                "Name a folder that can be written by the variable that the program has for it, "
                "for example one under /tmp: the bucket is mounted to be read only.",
            ),
        ),
        words(
            r"read-only file system|errno 30\b|erofs|"
            r"(?:mkdir|makedirs|create (?:the )?(?:directory|folder)).{0,300}?permission denied"
        ),
    ),
    ErrorClass(
        "error-file-system",
        "A file system lacks what the program wants of it: a mounted bucket has no locks and no "
        "links, and files in it can't be changed in place.",
        (
            Advice(
                RemedyKind.NONE,
                "Name a folder under /tmp for what the program writes, by the variable that it has "
                "for it; the bucket is there to be read.",
            ),
            OTHER_IMAGE,
        ),
        words(r"errno (?:18|38|95)\b|function not implemented|^oserror: .*operation not supported"),
    ),
    ErrorClass(
        "error-storage",
        "What reads files of the bucket failed: the mount, what streams them, or a file that "
        "changed.",
        (
            MOUNT_AGAIN,
            Advice(
                RemedyKind.NONE,
                "Don't overwrite or delete files of a model while it is served: import into "
                "another folder.",
            ),
            MORE_MEMORY,
        ),
        words(
            r"transport endpoint|stale (?:nfs )?file handle|input/output error|errno (?:5|107|"
            r"116)\b|"
            r"\bfuse(?:: |\.| (?:daemon|mount|file|error|op))|gcsfuse|stale object|"
            r"file clobbered|storage\.googleapis|\bgcs\b|gs://|(?:gcs|storage|s3) bucket|"
            r"(?:metadata|open|read|list|stat) .{0,20}\bbucket\b|\bbucket\b.{0,60}(?:mount|"
            r"does ?n[o']t exist|storage)|mount\w{0,8} .{0,40}\bbucket\b|"
            r"(?:runai|model|weights?|file)\w{0,4}[ _.-]?streamer|object storage|blob storage"
        ),
    ),
    ErrorClass(
        "error-google-permission",
        "Google Cloud refuses a request of the container: its identity lacks a permission.",
        (
            Advice(
                RemedyKind.NONE,
                "Grant a role that has the permission to the service account that the service runs "
                "as, on the resource that the error names.",
            ),
            RETRY,
        ),
        words(
            r"permission '?[a-z]{2,30}\.[\w.]{3,80}'? denied|iam_permission_denied|"
            r"(?:does not have|lacks) (?:the )?(?:permission )?'?[a-z]{2,30}\.[a-z]{2,40}\.[a-z]|"
            r"googleapi: error 403|insufficient authentication scopes"
        ),
    ),
    ErrorClass(
        "error-permission",
        "The program lacks a permission: a file, a program or a server refuses access.",
        (
            Advice(
                RemedyKind.NONE,
                "Give the identity that the error names the right that it lacks; for a file of the "
                "image, use the engine's official image.",
            ),
        ),
        words(
            r"permission ?(?:error|denied)|invalid permissions|errno 13\b|eacces|forbidden|"
            r"unauthori[sz]ed|(?:error|status|code|http\S{0,10})\W{1,3}40[13]\b|"
            r"\b40[13] (?:client|forbidden|unauth)|access denied|gated repo|"
            r"(?:no|invalid|missing|default|find) credentials|credentials .{0,40}not|"
            r"operation not permitted|errno 1\]|denied"
        ),
    ),
    ErrorClass(
        "error-file-missing",
        MISSING,
        FIND,
        words(
            r"filenotfound|no such file|errno 2\b|entrynotfound|does not appear to have a file|"
            r"no file named|\b0 files\b|files? (?:matching|match the)|config file exists|"
            r"no adapter found"
        ),
    ),
    ErrorClass(
        "error-timeout",
        "Something took longer than the engine waits for it.",
        (
            RETRY,
            Advice(
                RemedyKind.NONE,
                "Raise the timeout that the error names. Loading from a bucket is faster with more "
                "memory and CPU.",
            ),
        ),
        words(
            r"timed[ _-]?out|worker timeout|took too long|not ready within|deadline (?:exceeded|"
            r"passed)|"
            r"timeout(?:error|expired|exception)|time-?out (?:exceeded|expired|after|while|of \d|"
            r"was "
            r"reached|reached|waiting)|(?:hit|reached|before|exceeded|i/o) (?:\w{1,12} )?time-?out"
        ),
    ),
    ErrorClass(
        "error-network",
        "The program could not get something from another server: it was not reached, or it "
        "refused.",
        (
            Advice(
                RemedyKind.NONE,
                "Check that the model is named by its path in the mounted bucket, so that nothing "
                "is downloaded.",
            ),
            Advice(
                RemedyKind.NONE,
                "If the service goes through a VPC network, it needs a way out: Cloud NAT, or only "
                "requests to private addresses over the network.",
            ),
        ),
        words(
            r"connection ?(?:error|refused|reset|aborted|closed)|name resolution|gaierror|"
            r"sslerror|certificate|no such host|dial tcp|network is unreachable|"
            r"name or service not known|errno -[23]\]|\bproxy ?(?:error|connect|auth|server)|"
            r"(?:connect|reach|fetch|download|request|retriev|resolv|access|get|head|post|url:?|"
            r"load)\w{0,4}\b.{0,60}(?:https?://|huggingface\.co)|\bhttps?error\b|"
            r"^(?:get|head|post|put) \"?https?:|\b(?:get|head) failed\b|server gave http|"
            r"reqwest|request failed|too many requests|\b[45]\d\d (?:client|server) error\b|"
            r"response code:? \d{3}\b|\bhf api\b|max(?:imum)? retries|could not resolve host|"
            r"localentrynotfound|offline mode|is offline|"
            r"(?:error|failed).{0,20}? (?:downloading|to download)"
        ),
    ),
    ErrorClass(
        "error-file-damaged",
        "A file is not whole, or is none of the format that is expected, such as JSON, safetensors "
        "or GGUF.",
        (IMPORT_AGAIN, BUCKET),
        words(
            r"safetensorerror|jsondecodeerror|unpicklingerror|pytorchstreamreader|not a valid json|"
            r"corrupt|\btruncated\b|\bmagic\b|checksum|unicodedecodeerror|incomplete"
            r"(?:ly| (?:metadata|file|download|header|data|read))|file bounds|"
            r"header ?(?:too|is)|invalid header|unexpected end|\beof|(?:fail\w{0,3}|"
            r"unable) (?:to )?"
            r"read(?:ing)?\b(?! .{0,20}(?:/proc|response|request|error))|"
            r"expecting value|expected value at line|invalid literal|digest mismatch|badzipfile|"
            r"parseerror|yaml\b.{0,40}error|json: cannot unmarshal|"
            r"unmarshal\w{0,4} .{0,30}(?:config|"
            r"manifest|file)|invalid character|end of file|"
            r"invalid (?:\w{1,12} )?gguf|invalid file\b|consistency check|should be of size|"
            r"(?:got|has|have|of) size \d{1,15}.{0,20}expected|invalid load key|split file|"
            r"exceeds file size|offset\+size|file magic|unsupported content type|"
            r"not in gguf format|"
            r"(?:gguf|array|string|tensor)\b.{0,40}exceeds maximum|"
            r"git-?lfs|untagged enum"
        ),
    ),
)
