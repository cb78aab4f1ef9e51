"""Which evidence looks as if it were written to steer the judge: named signs, found by pattern, for people to look at.

A sign is no verdict, and its absence no proof: what keeps evidence from giving orders is how the judge is asked. Text
is read as a person would see it: compatibility forms, look-alike letters and invisible characters undone.
"""

import re
import unicodedata
from collections.abc import Iterable

from shared.evaluations import EvidenceRow
from shared.vocabulary import Sign

MOST_CHARACTERS = 100_000  # of a text, from both ends; what a judge is shown of it is less

TAGS_BEGIN = 0xE0000  # Unicode's tag characters are ASCII from here on

_LATIN = dict(
    zip(
        "аеорсухіјѕԁһӏкмтвнАВЕКМНОРСТУХІЈЅοαερυνικτχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",  # look-alikes
        "aeopcyxijsdhlkmtbhABEKMHOPCTYXIJSoaepuviktxABEZHIKMNOPTYX",
        strict=True,
    )
)
_AS_LATIN = str.maketrans(_LATIN)
_ALIKE = "".join(_LATIN)
_MIXED_WORD = re.compile(f"(?=[a-zA-Z]*[{_ALIKE}])(?=[{_ALIKE}]*[a-zA-Z])[a-zA-Z{_ALIKE}]{{4,}}")
_HIDDEN = re.compile(
    "[\u2061-\u2064\u180e\u3164\uffa0\U000e0100-\U000e01ef]"  # fillers, selectors as a code
    "|[\u200b-\u200d\u2060](?<=[a-zA-Z].)(?=[a-zA-Z])"  # what has no width, within a Latin word
    "|(?<!\U0001f3f4)(?<![\U000e0020-\U000e007f])[\U000e0001\U000e0020-\U000e007f]"  # but for regions' flags
    "|[\ufe00-\ufe0f]{3}"
)
_REORDERED = re.compile("[\u202d\u202e]")
_UNSEEN = re.compile(
    "[\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufe00-\ufe0f\U000e0000-\U000e0fff]"
)
_TAGS = re.compile("[\U000e0020-\U000e007e]")

_OLD = r"(?:all |any |the |these |those |your |previous |prior |above |earlier |preceding |former |system |other )*"
_RULES = r"(?:instructions?|rules|prompts?|directions|guidelines|criteria|orders|messages?|context)"
_TOP = r"(?:10|ten|100|full|maximum|max|highest|top|perfect|best)"
_GIVE = r"(?:give|assign|award|return|output|set|rate|score|grade)"
_PATTERNS = {
    Sign.ORDERS: re.compile(
        rf"\b(?:ignore|disregard|forget|override|bypass|skip) {_OLD}{_RULES}"
        r"|\byou are (?:now|no longer) (?:a|an|the|in|bound)\b|\bnew (?:system )?(?:instructions?|rules|task)\s*:"
        r"|\b(?:system|hidden|secret) (?:prompt|instructions?)\b|\b(?:jailbreak|developer|god) mode\b"
        r"|\b(?:note|message|instructions?|attention) (?:to|for) (?:the |an |any )?"
        r"(?:ai|llm|judge|evaluator|grader|model|assistant)\b"
        r"|\bas an? (?:ai|llm|automated) (?:judge|evaluator|grader)\b"
    ),
    Sign.ASKS_FOR_SCORE: re.compile(
        rf"\b{_GIVE} (?:(?:this|it|me|us|the|my|our|an?|each|every|all|agent|run|review|answer|everything) )*"
        rf"(?:criteri\w+ |scores? |rating |grade |as |of |with |to |at |a |an |the )*{_TOP}\b"
        r"(?: ?/ ?10| out of 10| ?points?| marks?| scores?| rating| in (?:all|every)\b|(?= ?[.!]?$)| for (?:all|every))"
        r"|\b(?:score|rating|grade|verdict)s? (?:must|should|shall|has to|have to) be "
        rf"(?:an? |the )?(?:{_TOP}|passed|positive)\b"
        r"|\"(?:score|verdict|passed|sentiment)\" ?: ?(?:10|true|\"p)",
        re.MULTILINE,
    ),
    Sign.FORGED_FENCE: re.compile(
        r"={3,} ?(?:data|task|end|begin|system)|={3,}[^=\n]{0,60}\b(?:begins|ends)\b"
        r"|(?:end|begin(?:ning)?|start) of (?:the )?(?:data|evidence|reviews|user input|untrusted)\b"
        r"|</?(?:data|evidence|instructions?|document|untrusted)>"
    ),
    Sign.FALSE_SPEAKER: re.compile(
        r"<\|(?:im_|end|begin|start|eot|system|user|assistant)|<\uff5c|\[/?inst\]|<</?sys>>|</?(?:system|assistant)>"
        r"|<(?:start|end)_of_turn>|^ *#* *(?:system|developer)(?: message| prompt| note)? ?:(?! \d)",
        re.MULTILINE,
    ),
}


def signs_of(row: EvidenceRow) -> tuple[Sign, ...]:
    """The signs in a row's texts, each once, in the order of the enum."""
    texts = [text for text in row.values.values() if isinstance(text, str)]
    found = {sign for text in texts for sign in _found(_ends(text))}
    return tuple(sign for sign in Sign if sign in found)


def _found(text: str) -> Iterable[Sign]:
    if not text.isascii():
        if _HIDDEN.search(text):
            yield Sign.HIDDEN_TEXT
        if _REORDERED.search(text):
            yield Sign.REORDERED_TEXT
        if _MIXED_WORD.search(text):
            yield Sign.LOOKALIKES
    plain = _as_seen(text)
    for sign, pattern in _PATTERNS.items():
        if pattern.search(plain):
            yield sign


def _as_seen(text: str) -> str:
    """Letters as a reader takes them, small, single spaces within a line."""
    if not text.isascii():
        text = _from_tags(text)
        text = _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).translate(_AS_LATIN)
    lines = text.replace("\\n", "\n").lower().splitlines()
    return "\n".join(" ".join(words.split()) for words in lines)


def _from_tags(text: str) -> str:
    """Tag characters are ASCII that nobody sees: some models read them."""
    return _TAGS.sub(lambda found: chr(ord(found[0]) - TAGS_BEGIN), text)


def _ends(text: str) -> str:
    half = MOST_CHARACTERS // 2
    return text if len(text) <= MOST_CHARACTERS else f"{text[:half]}\n{text[-half:]}"
