"""What a prompt asks for: a theme that words in it stand for, or the words themselves."""

import re
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_LONGEST_WORDS = 28  # characters of a theme made from the prompt's own words
_NAMES = re.compile(r"\s*,\s*")

# Words that stand for the theme | headline | a sentence of the body | what a button says
_TABLE = """
black friday, cyber monday | Black Friday at {brand} | Gone by Monday. | Grab the deal
christmas, xmas, festive | Christmas from {brand} | Gifts that get unwrapped first. | Find a gift
holiday, holidays | Holidays with {brand} | For the best days of the year. | Find a gift
valentine, valentine's | With love, {brand} | Say it with something lasting. | Find a gift
summer, summery, beach | Summer with {brand} | Made for long, bright days. | Shop summer
winter, wintry, snow | Winter with {brand} | Warm when it counts. | Shop winter
spring, easter | Spring with {brand} | A fresh start for the season. | Shop spring
autumn, fall, halloween | Autumn with {brand} | For golden light and crisp air. | Shop autumn
school, students, campus | Back to school with {brand} | Ready before the first bell. | Get ready
discount, sale, deal, offer | Save more at {brand} | Good things, smaller prices. | See the offers
urgent, urgency, hurry, limited | Last chance at {brand} | Only while it lasts. | Shop today
luxury, premium, elegant | {brand}, the finest | Details that nobody rushed. | Discover more
minimal, minimalist, simple | Simply {brand} | Less, but better. | Take a look
fun, funny, humorous, playful | {brand}, for the fun of it | Serious about smiling. | Join the fun
eco, green, sustainable | Greener with {brand} | Kinder to where we live. | Go greener
professional, business, formal | {brand} means business | For people who deliver. | Learn more
family, families, kids | {brand} for the family | For the big and the small. | Shop together
young, younger, teens, gen z | Next up: {brand} | Not what your parents wore. | See what's new
sport, sporty, athletic, runners | Move with {brand} | Made to keep up with you. | Start moving
bold, bolder, loud, daring | Bolder with {brand} | Stand out, on purpose. | Dare to look
"""
_EMPTY_WORDS = """
a ad ads advert an and as at be banner but by can change copy create design draw for from generate
give have in into is it its keep like make me more my new of on or original our please picture
rewrite same show should so style that the their them theme themed this to turn use using variant
variation version very want we with write you your
"""


@dataclass(frozen=True)
class Theme:
    """How a variant speaks; `{brand}` stands for the advertiser.

    Attributes:
        headline: what the variant opens with.
        phrase: a sentence for its body.
        call: what it asks people to do, short enough for a button.
    """

    headline: str
    phrase: str
    call: str


def _read_table() -> list[tuple[list[str], Theme]]:
    lines = (line.split(" | ") for line in _TABLE.strip().splitlines())
    return [(_NAMES.split(names), Theme(*rest)) for names, *rest in lines]


_THEMES = _read_table()
_EMPTY = frozenset(_EMPTY_WORDS.split())


def read_theme(prompt: str) -> Theme:
    """The first theme of the table that the prompt names, else its own words."""
    words = _WORD.findall(prompt.lower())
    text = f" {' '.join(words)} "
    for names, theme in _THEMES:
        if any(f" {name} " in text for name in names):
            return theme
    if own := _pick_words(words):
        return Theme(f"{own}: {{brand}}", "The same idea, told another way.", "Learn more")
    return Theme("A new look at {brand}", "The same idea, told afresh.", "Learn more")


def _pick_words(words: list[str]) -> str:
    """The first few words that say something, as a title."""
    chosen = ""
    for word in words:
        longer = f"{chosen} {word.capitalize()}".strip()
        if word in _EMPTY:
            continue
        if len(longer) > _LONGEST_WORDS:
            break
        chosen = longer
    return chosen
