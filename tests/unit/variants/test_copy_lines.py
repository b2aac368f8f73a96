"""Which lines of a copy become headlines and descriptions of a search ad, and why others not."""

import pytest

from adspark.rules.surfaces import split_copy
from adspark.variants.handover.copy_lines import read_copy_lines

SEVERAL = "several texts stand in it; write each on a line of its own"
JSON = "it is JSON; write each text on a line of its own"
HTML = "HTML stands in it; write the text without"
HIDDEN = "the ad has it without its characters that cannot be seen, as soft hyphens"
LEAD = "it ends in a colon; what it leads to stands elsewhere"


@pytest.mark.parametrize(
    ("copy", "headlines", "descriptions", "left_out"),
    [
        (None, [], [], []),
        ("**Summer**\n\n> Sun\n- Sea", ["Summer", "Sun", "Sea"], [], []),
        ("x" * 30, ["x" * 30], [], []),
        ("x" * 31, [], ["x" * 31], []),
        ("x" * 90, [], ["x" * 90], []),
        ("x" * 91, [], [], ["91 characters; a description has 90 at most"]),
        ("靴" * 15, ["靴" * 15], [], []),
        ("靴" * 46, [], [], ["92 characters; a description has 90 at most"]),
        (f"Headline 1: {'x' * 31}", [], [], ["31 characters; a headline has 30 at most"]),
        ("Description: Short", [], ["Short"], []),
        ("CTA: Buy now\nbuy NOW", ["Buy now"], [], ["it is a headline of this ad already"]),
        ("Headline: Sun\nDescription: Sun", ["Sun"], ["Sun"], []),
        ("Long headline: Sun\nHeadline: sun\nBusiness name: Sea\nHeadline: Sea", ["sun", "Sea"], [],
         ["responsive search ads have no long headline",
          "the name of a business stands in the account, not in an ad"]),
        ("Headline:\nSun\nDescription:\n\n- Sea", ["Sun"], ["Sea"], []),
        ("1. Headline: Sun\n**Title 2:** Sea\n### Description\nSand", ["Sun", "Sea"], ["Sand"], []),
        ("Short headline: Sun\nLong headline: Sea", ["Sun"], [],
         ["responsive search ads have no long headline"]),
        ("Path: sun/sea\nBusiness name: Sand", [], [],
         ["paths are given for all ads of a file",
          "the name of a business stands in the account, not in an ad"]),
        ("e\u0301" * 30, ["e\u0301" * 30], [], []),
        ("\u200b" * 9 + "x" * 30, ["x" * 30], [], []),
        ("\n".join(f"H{n}" for n in range(16)), [f"H{n}" for n in range(15)], [],
         ["an ad has 15 headlines at most"]),
        ("\n".join(f"{n}" * 40 for n in range(5)), [], [f"{n}" * 40 for n in range(4)],
         ["an ad has 4 descriptions at most"]),
        ("-20% today", [], [], ["a spreadsheet would compute what it begins with or holds"]),
        ("=HYPERLINK(1)", [], [], ["a spreadsheet would compute what it begins with or holds"]),
        ("| Sun | Sea |", [], [], ["several texts stand in it; write each on a line of its own"]),
        ("Headline 1: Sun Headline 2: Sea", [], [],
         ["several texts stand in it; write each on a line of its own"]),
        ("**Headlines**\n1. 20% off\n\n2. **Sea**\n**Descriptions**\n1) Sand\n2) Sun",
         ["20% off", "Sea"], ["Sand", "Sun"], []),
        ("1. **Headlines**\n- Sun\n2. **Descriptions**\n- Sea", ["Sun"], ["Sea"], []),
        ("24. December\n3.5 stars\n1. FC Köln\n2.5 km", ["24. December", "3.5 stars", "1. FC Köln",
         "2.5 km"], [], []),
        ("[]", [], [], ["Google Ads Editor takes it for an order to erase"]),
        ("Shoes | Sale", ["Shoes | Sale"], [], []),
        ("Headline | Description\n---|:--\n-20% | <b>Dry</b>\n\nShoes | Sale", ["Shoes | Sale"], [],
         [SEVERAL] * 3),
        ("Shoes\tBright days\n1.\tSun\n2.\tSea\n\tSand\t", ["Sun", "Sea", "Sand"], [], [SEVERAL]),
        ("```json\n{\"headlines\": [\"A\"]}\n```\nHeadline:\n~~~\nSun\n~~~", ["Sun"], [], [JSON]),
        ("{\n  \"headlines\": [\n    \"A\"\n  ]\n}\nSun\n- [\"A\"]", ["Sun"], [], [JSON] * 6),
        ("[Sale] now\n{Sun}", ["[Sale] now", "{Sun}"], [], []),
        ("[" * 9999, [], [], ["9999 characters; a description has 90 at most"]),
        ("Headlines\nSun\nHeadline 2\nSea\nDescription\nSand", ["Sun", "Sea"], ["Sand"], []),
        ("Text\nPaths of joy", ["Text", "Paths of joy"], [], []),
        ("Headline #1: Sun\n**Headline 2** – Sea\nDescription 1 - Sand\nH3: Sky\nD2: Air",
         ["Sun", "Sea", "Sky"], ["Sand", "Air"], []),
        ("D3: the vitamin of the sun\nH2: water",
         ["D3: the vitamin of the sun", "H2: water"], [], []),
        ("H2: Sun\nH4: Sea\nH5: Sky\nD2: Sand\nD4: Air\nD1: Wind",
         ["Sun", "Sea", "Sky"], ["Sand", "Air", "Wind"], []),
        ("Headline 1: Sun\nH5: Sea\nH1: Sky\nD1: Sand", ["Sun", "Sea", "Sky"], ["Sand"], []),
        ("H1: Sun\nD1: Sand\nH2: Sea\nH1: Sky", ["Sun", "Sea", "Sky"], ["Sand"], []),
        ("Wasch\u00admaschine\nشعر\u200f!\n\u200bSun\u200b\n\u2060",
         ["Waschmaschine", "شعر!", "Sun"], [], [HIDDEN] * 2),
        ("Here are three headlines:\nSun", ["Sun"], [], [LEAD]),
        ("24. December\n1. FC Köln\nHeadline: 1. FC Bayern\n3.5 stars",
         ["24. December", "1. FC Köln", "1. FC Bayern", "3.5 stars"], [], []),
        ("Headline 1: 1. Sun\nHeadline 2: 2. Sea", ["Sun", "Sea"], [], []),
        ("`Sun`\n- **`Sea`**\nHeadline: ```Sand```\nI `go`", ["Sun", "Sea", "Sand", "I `go`"],
         [], []),
        ("<b>Sun</b>\nSea<br/>\nI <3 2 > 1", ["I <3 2 > 1"], [], [HTML] * 2),
        ("Café\nCafe\u0301\nSun\u00a0sale\nSun  SALE", ["Café", "Sun\u00a0sale"], [],
         ["it is a headline of this ad already"] * 2),
    ],
)  # fmt: skip
def test_a_line_is_placed_whole_or_left_out_with_the_reason(
    copy: str | None, headlines: list[str], descriptions: list[str], left_out: list[str]
) -> None:
    made = read_copy_lines(copy)
    assert (made.headlines, made.descriptions) == (headlines, descriptions)
    assert [reason for _, reason in made.left_out] == left_out


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("1. ", "2. "), ("1) ", "2) "), ("(1) ", "(2) "), ("[1] ", "[2] "), ("1: ", "2: "),
        ("1- ", "2- "), ("\uff11\uff0e", "\uff12\uff0e"), ("1\u3001", "2\u3001"), ("①", "②"),
        ("❶ ", "❷ "), ("1\ufe0f\u20e3 ", "2\ufe0f\u20e3 "),
    ],
)  # fmt: skip
def test_the_numbers_of_a_list_are_no_text_however_they_are_written(
    first: str, second: str
) -> None:
    assert read_copy_lines(f"{first}夏\n{second}Sea").headlines == ["夏", "Sea"]
    assert read_copy_lines(f"{first}夏").headlines == [f"{first}夏"]


def test_what_is_no_text_of_an_ad_is_still_checked_by_rules() -> None:
    copy = 'Sun\tSea\n["A"]\n<b>Sand</b>\nHere they are:'
    assert [one.text for one in split_copy(copy)] == copy.replace("\t", " ").split("\n")


def test_what_google_asks_for_besides_is_named() -> None:
    assert read_copy_lines("One\nTwo").lacks == ["1 more headline", "2 more descriptions"]
    whole = read_copy_lines(f"One\nTwo\nThree\n{'x' * 40}\n{'y' * 40}")
    assert whole.lacks == []
