"""What can be said of an answer of Cloud Run's that the catalogue does not have.

It is shown in its own words. The class adds what is true of all answers of the kind, and steps
that are right for any of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from llm_widgets.domain.failures.advice import (
    AGAIN_LATER,
    DEFAULT_IMAGE,
    FIRST_ERROR,
    MORE_MEMORY,
    OTHER_GPU,
    WITHOUT_NETWORK,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

_REFERENCE = "https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services"
_TROUBLE = "https://cloud.google.com/run/docs/troubleshooting"


@dataclass(frozen=True, slots=True)
class AnswerClass:
    """A class of answers.

    Attributes
    ----------
    meaning
        Template of a sentence that is true of all answers of the class; named groups of the
        pattern are its values.
    """

    id: str
    meaning: str
    advice: tuple[Advice, ...]
    pattern: re.Pattern[str]


def class_of(text: str) -> tuple[AnswerClass, dict[str, str]]:
    """Return the class of an answer, and the values that it tells; the last one takes any."""
    for each in CLASSES:
        if match := each.pattern.search(text):
            return each, {name: value for name, value in match.groupdict().items() if value}
    return OTHER, {}


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_NONE = RemedyKind.NONE
_OTHER_REGION = Advice(
    RemedyKind.CHOOSE,
    "Use another region that has this GPU: {gpu_regions_text}.",
    {"regions": "{gpu_regions}"},
)
_READ = Advice(
    RemedyKind.OPEN_LINK, "See what Cloud Run's documentation says of the sentence.", url=_TROUBLE
)
_FIELDS = Advice(
    RemedyKind.OPEN_LINK, "See what Cloud Run takes as the fields of a service.", url=_REFERENCE
)
_NETWORK = (
    WITHOUT_NETWORK,
    Advice(
        _NONE,
        "Choose another subnet of {region}, or one connector or network for the service, "
        "and not both.",
    ),
)

CLASSES: tuple[AnswerClass, ...] = (
    AnswerClass(
        "said-launch-stage",
        "The service uses a feature whose launch stage it does not declare: {feature}.",
        (
            Advice(
                _NONE,
                "Set the launch stage of the service to BETA (launchStage, or the annotation "
                "run.googleapis.com/launch-stage), or leave the feature out.",
            ),
            Advice(
                RemedyKind.OPEN_LINK,
                "See which launch stage each feature has.",
                url=f"{_TROUBLE}#launch-stage-validation",
            ),
        ),
        _words(
            r"feature '?(?P<feature>[\w /.-]{1,80}?)'? is not supported in the declared launch "
            r"stage"
        ),
    ),
    AnswerClass(
        "said-annotation",
        "The project does not have the use of an annotation of the service: {annotation}.",
        (
            Advice(
                _NONE,
                "Take the annotation {annotation} out of the service and deploy again.",
            ),
            _READ,
        ),
        _words(r"not allowed to (?:use|set) (?P<annotation>[\w./-]{1,120}) annotation"),
    ),
    AnswerClass(
        "said-capacity",
        "Google has not enough free hardware of this kind there now; nothing is wrong with the "
        "deployment.",
        (AGAIN_LATER, _OTHER_REGION, OTHER_GPU),
        _words(
            r"\bcapacity\b|insufficient .{0,40}resources|resources? .{0,40}(?:exhausted|"
            r"not available|unavailable)|stock-?out"
        ),
    ),
    AnswerClass(
        "said-network",
        "The network that the service is to use can't be used as it is.",
        _NETWORK,
        _words(r"subnet|\bvpc|connector|network_?interface|\bip address|egress"),
    ),
    AnswerClass(
        "said-account",
        "The service account that the service is to run as is not there, or can't be used.",
        (
            Advice(
                _NONE,
                "Check the service account {account}: it must exist in its project and be enabled. "
                "Or choose another one for the service.",
            ),
            Advice(_NONE, "Choose another service account for the service.", fallback=True),
        ),
        _words(r"service ?account"),
    ),
    AnswerClass(
        "said-field",
        "Cloud Run does not take a field of the service as it is: {field}.",
        (
            Advice(
                _NONE,
                "Correct {field}, or take it out of the service: nothing was started, so the log "
                "does not say more.",
            ),
            _FIELDS,
        ),
        _words(
            r"(?P<field>(?<![\w/.])(?:spec|template|metadata|service|scaling|traffic|"
            r"[A-Z][a-z]{2,20}ServiceRequest)(?:\.[\w\[\]/-]{1,60}){1,10}(?:\[[\w./-]{1,90}\])?)"
            r"(?=[:.,' ]|$)"
        ),
    ),
    AnswerClass(
        "said-volume",
        "A volume of the service can't be mounted.",
        (
            Advice(
                _NONE,
                "Check that the bucket {bucket} is there, that the service account {account} has "
                "roles/storage.objectViewer on it, and the mount options.",
            ),
            AGAIN_LATER,
            FIRST_ERROR,
        ),
        _words(r"\bvolumes?\b.{0,80}mount|mount.{0,80}\bvolume|\bbucket\b"),
    ),
    AnswerClass(
        "said-disk",
        "The container wrote more than its file system holds, which is in its memory.",
        (MORE_MEMORY,),
        _words(r"(?:ephemeral )?(?:disk|file ?system|storage) .{0,40}(?:limit|full|exceed)"),
    ),
    AnswerClass(
        "said-image",
        "Cloud Run can't use the image as it is.",
        (
            DEFAULT_IMAGE,
            Advice(_NONE, "Check the image's name and tag, and that Cloud Run can read it."),
        ),
        _words(r"\bimages?\b|manifest|registry|\blayers?\b.{0,40}(?:pull|download|extract)"),
    ),
    AnswerClass(
        "said-traffic",
        "The service's traffic can't go where it is to go: a revision is gone, or the shares are "
        "not as Cloud Run takes them.",
        (
            Advice(
                _NONE,
                "Send all traffic to the latest revision, then deploy again.",
            ),
            Advice(
                RemedyKind.OPEN_LINK,
                "See how traffic is sent to revisions.",
                url="https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration",
            ),
        ),
        _words(
            r"revision\b.{0,80}(?:does ?n[o']t exist|deleted|not found|retired)|"
            r"traffic (?:target|percent|split|tag)|\btraffic\b.{0,40}\b100\b"
        ),
    ),
    AnswerClass(
        "said-missing",
        "Something that the service refers to is not there, or Cloud Run can't see it.",
        (
            Advice(
                _NONE,
                "Check the name, the project and the region of what the sentence names, or take it "
                "out of the service.",
            ),
            _READ,
        ),
        _words(r"not found|does ?n[o']t exist|no such|could not be (?:found|retrieved)"),
    ),
    AnswerClass(
        "said-timeout",
        "Cloud Run or what it waited for took too long; it may pass.",
        (AGAIN_LATER, FIRST_ERROR),
        _words(r"deadline|timed? ?out|cancell?ed|aborted|took too long"),
    ),
    AnswerClass(
        "said-permission",
        "An identity lacks a permission that the sentence names.",
        (
            Advice(
                _NONE,
                "Ask an administrator of the project to grant the identity that is named the role "
                "with this permission.",
            ),
            _READ,
        ),
        _words(r"permission|denied|not authorized|forbidden|must have"),
    ),
    AnswerClass(
        "said-value",
        "Cloud Run does not take the service with a value that it was given.",
        (
            Advice(_NONE, "Correct what the sentence names, or leave it out, and deploy again."),
            _FIELDS,
        ),
        _words(
            r"invalid|must (?:not )?be|must (?:use|have)|not supported|unsupported|not allowed|"
            r"should be|expected|duplicate|exceeds?|greater than|less than|required"
        ),
    ),
)

OTHER = AnswerClass("unknown", "", (AGAIN_LATER, _READ, FIRST_ERROR), re.compile(""))
