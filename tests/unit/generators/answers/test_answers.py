"""What models write, read as copy: their thoughts, fences and objects are not part of it."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adspark.errors import ConfigurationError
from adspark.generators.answers.ad_copy import LONGEST_COPY, Copy, ends_early, read_copy
from adspark.generators.answers.addresses import read_data_address
from adspark.generators.answers.pictures import list_pictures
from adspark.generators.answers.reasoning import without_reasoning
from adspark.generators.answers.text_images import find_images, without_images
from adspark.generators.dify.outputs import find_outputs
from adspark.variants.result import find_title
from tests.support.growth import assert_no_square
from tests.support.hostile_pages import draw

COPY = "Summer is on.\n\nShop now!"
AD = {"headline": "Summer is on.", "call_to_action": "Shop now!"}
THOUGHT = "The user wants summer. I should be short."
PAGE = "https://shop.example/summer"
PNG = "https://cdn.example/ad.png"
PICTURE = draw(60, 40)
B64 = base64.b64encode(PICTURE).decode()
WRAPPED = "\n".join(B64[at : at + 76] for at in range(0, len(B64), 76))
JPEG_B64 = base64.b64encode(b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\0" * 60).decode()


def channel(name: str, text: str) -> str:
    return f"<|channel|>{name}<|message|>{text}<|end|>"


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(f"<think>{THOUGHT}</think>{COPY}", id="before it"),
        pytest.param(f"<think>\n{THOUGHT}\n</think>\n\n{COPY}", id="on lines of its own"),
        pytest.param(f"{COPY}<think>{THOUGHT}</think>", id="behind it"),
        pytest.param(f"{COPY}\n<think>{THOUGHT}", id="behind it, cut off"),
        pytest.param(f"{COPY}\n<think>{THOUGHT}</thi", id="cut off in its end"),
        pytest.param(f"{COPY}\n<thi", id="cut off in its beginning"),
        pytest.param(f"<think>{THOUGHT}</think><think>Hm.</think>{COPY}", id="several"),
        pytest.param(f"<think>Hm.</think>{COPY}<think>{THOUGHT}</think>", id="around it"),
        pytest.param(f"<think>a <think>b</think> {THOUGHT}</think>{COPY}", id="nested"),
        pytest.param(f"<think>a <reasoning>b</reasoning> c</think>{COPY}", id="two kinds nested"),
        pytest.param(f"<THINK>{THOUGHT}</Think>{COPY}", id="in capitals"),
        pytest.param(f"<thinking>{THOUGHT}</thinking>{COPY}", id="thinking"),
        pytest.param(f"<reasoning>{THOUGHT}</reasoning>{COPY}", id="reasoning"),
        pytest.param(f"<thought>{THOUGHT}</thought>{COPY}", id="thought"),
        pytest.param(f"<reflection>{THOUGHT}</reflection>{COPY}", id="reflection"),
        pytest.param(f'< think time="3 s" >{THOUGHT}< /think >{COPY}', id="blanks, an attribute"),
        pytest.param(f"&lt;think&gt;{THOUGHT}&lt;/think&gt;{COPY}", id="escaped"),
        pytest.param(f"[THINK]{THOUGHT}[/THINK]{COPY}", id="in square brackets"),
        pytest.param(f"◁think▷{THOUGHT}◁/think▷{COPY}", id="in other ones"),
        pytest.param(f"{THOUGHT}</think>\n{COPY}", id="begun by the prompt"),
        pytest.param(f"<think></think>{COPY}", id="empty"),
        pytest.param(
            '<details style="color:gray;" open> <summary> Thinking... </summary>\n'
            f"{THOUGHT}\n</details>{COPY}",
            id="as Dify folds it",
        ),
        pytest.param(channel("analysis", THOUGHT) + channel("final", COPY), id="in channels"),
        pytest.param(f"```\n{COPY}\n```", id="in a fence"),
        pytest.param(f"```markdown\n{COPY}\n```", id="in a fence of Markdown"),
        pytest.param(f"```json\n{json.dumps(AD)}\n```", id="JSON in a fence"),
        pytest.param(f"```JSON\n{json.dumps(AD, indent=2)}\n```", id="JSON in capitals"),
        pytest.param(f"~~~json\n{json.dumps(AD)}\n~~~", id="another fence"),
        pytest.param(f"```\n{json.dumps(AD)}\n```", id="JSON in a fence that does not say so"),
        pytest.param(f"Here it is:\n\n```json\n{json.dumps(AD)}\n```\nTell me if you like it!",
                     id="with text around"),
        pytest.param(f"Here it is: ```json\n{json.dumps(AD)}\n``` Enjoy!", id="in the line"),
        pytest.param(f"```json {json.dumps(AD)} ```", id="all on one line"),
        pytest.param(f"```json\n{json.dumps(AD)}", id="a fence that is not closed"),
        pytest.param(f"<think>{THOUGHT}</think>\n```json\n{json.dumps(AD)}\n```", id="both"),
        pytest.param(json.dumps(AD), id="bare JSON"),
        pytest.param(f"Sure! {json.dumps(AD)} Enjoy!", id="bare JSON with text around"),
        pytest.param(json.dumps([AD]), id="in a list"),
        pytest.param(json.dumps({"ad": AD, "reasoning": THOUGHT}), id="in an object"),
        pytest.param(json.dumps(AD)[:-1] + ",}", id="a comma too many"),
        pytest.param('{"copy": "Summer is on.\n\nShop now!"}', id="lines in a text of JSON"),
        pytest.param(str(AD), id="as Python writes it"),
        pytest.param(json.dumps({"copy": f"<think>{THOUGHT}</think>{COPY}"}), id="thought within"),
        pytest.param(f"{COPY}\n\n![ad]({PNG})", id="with an image"),
        pytest.param(f'<img alt="ad" src="{PNG}">\n{COPY}', id="with an image in HTML"),
        pytest.param(f"{COPY}\n{PNG}", id="with an address on a line of its own"),
    ],
)  # fmt: skip
def test_copy_is_what_a_reader_is_to_see(written: str) -> None:
    assert read_copy(written).text == COPY
    outputs: dict[str, Any] = {"text": written, "json": [{"result": PNG}]}
    assert find_outputs(outputs, text_output="text", picture_output="json").text == COPY


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (AD, COPY),
        ([AD["headline"], AD["call_to_action"]], COPY),
        ({"cta": "Shop now!", "tone": "warm", "Title": "Summer is on."}, COPY),
        ({"callToAction": "Shop now!", "adHeadline": "Summer is on."}, COPY),
        ({"variants": [AD]}, COPY),
        ({"message": {"role": "assistant", "content": COPY}}, COPY),
        ({"one": "Summer is on.", "two": "Shop now!"}, COPY),
        ({"headlines": ["Summer is on."], "descriptions": ["Shop now!"]}, COPY),
        ({"reasoning": THOUGHT, "thoughts": [THOUGHT]}, None),
        ({"image": PNG, "url": PAGE}, None),
        ({"price": 3, "ok": True, "none": None}, None),
        ([], None),
        (None, None),
        (7, None),
        (f"<think>{THOUGHT}", None),
        (THOUGHT + "</think>", None),
        ("5 < 7 and [analysis]", "5 < 7 and [analysis]"),
        ("Think big. I think.", "Think big. I think."),
        ("<b>Summer</b> is on", "<b>Summer</b> is on"),
        ("{name}, summer is on", "{name}, summer is on"),
        ("[Shop](https://shop.example/)", "[Shop](https://shop.example/)"),
        ("Prices from 5 < t", "Prices from 5 < t"),
        ("Only 5 <s", "Only 5 <s"),
        ("Only 5 < the", "Only 5 < the"),
        ("Give me a <reason> to run", "Give me a <reason> to run"),
        ("Your <analysis> is ready.\nShop now", "Your <analysis> is ready.\nShop now"),
        (f"<think>a <reason> b</think>{COPY}", COPY),
        ({"headline": 50, "text": "off"}, "50\n\noff"),
        ({"headline": 50}, "50"),
        ({"headlines": [50, 19.5], "cta": True}, "50\n\n19.5"),
        ({"text": "Run", "score": 5}, "Run"),
    ],
)
def test_an_object_or_list_of_parts_is_copy(given: Any, text: str | None) -> None:  # noqa: ANN401
    assert read_copy(given).text == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        pytest.param("{'name'}, your shoes are waiting!\nShop now", None, id="a placeholder"),
        pytest.param('{"name"}, your shoes are waiting!\nShop now', None, id="another one"),
        pytest.param('["Best shoe of 2026"] Runner\'s World agrees.\nShop now', None,
                     id="a quotation in brackets"),
        pytest.param('{"headline":"The "best" shoe","body":"Buy now"}', None, id="quotes within"),
        pytest.param('```json\n{"headline":"The "best" shoe","body":"Buy"}\n```',
                     '{"headline":"The "best" shoe","body":"Buy"}', id="the same in a fence"),
        pytest.param('{"ad":{"headline":"Run","body":"Buy"},"cta":"The "best" shoe"}', None,
                     id="quotes within, behind an object"),
        pytest.param('{"headline":"H"\n"body":"B"}', None, id="a comma is missing"),
        pytest.param('{"headline":"H", ...}', None, id="something is left out"),
        pytest.param("```json\nRun faster\n```", "Run faster", id="words in a fence of JSON"),
        pytest.param('```js\nconst ad = {"headline":"H","body":"B"};\n```', "H\n\nB",
                     id="a statement"),
        pytest.param("```js\nconst ad = {headline:\"H\"};\n```", 'const ad = {headline:"H"};',
                     id="a statement that is no JSON"),
        pytest.param('```jsonc\n{\n // the first line\n "headline":"H","body":"B"}\n```', "H\n\nB",
                     id="a comment"),
        pytest.param('```json5\n{headline:"H",body:"B"}\n```', '{headline:"H",body:"B"}',
                     id="names without quotes"),
        pytest.param('{"headline":"H"}\n{"body":"B"}', "H\n\nB", id="lines of JSON"),
        pytest.param('```jsonl\n{"headline":"H"}\n{"body":"B"}\n```', "H\n\nB",
                     id="lines of JSON in a fence"),
        pytest.param('{"headline":"H"}\n{"body":"the "best" shoe"}', None,
                     id="of which one is broken"),
        pytest.param('Sure:\n{"headline":"H"}\n{"body":"B"}', "H\n\nB", id="behind words"),
        pytest.param('{"headline":"H","body":"B"}\n\nHope it helps!', "H\n\nB",
                     id="words behind an object"),
        pytest.param('{"headline":"Up to 50% off ,] really","text":"x, }"}',
                     "Up to 50% off ,] really\n\nx, }", id="valid JSON with a comma in a text"),
        pytest.param('{"headline":"Up to 50% off ,] really","text":"x // y",}',
                     "Up to 50% off ,] really\n\nx // y", id="and one too many"),
        pytest.param(json.dumps(json.dumps(AD)), COPY, id="JSON in a text of JSON"),
        pytest.param(json.dumps({"answer": json.dumps(json.dumps(AD))}), COPY, id="and deeper"),
        pytest.param(json.dumps("Run faster."), None, id="a quotation"),
        pytest.param(f'Run faster.\n```json\n{{"image_url": "{PNG}"}}\n```', "Run faster.",
                     id="a fence that holds no copy"),
    ],
)  # fmt: skip
def test_what_is_like_json_and_cannot_be_read_stays_as_it_was_written(
    written: str, text: str | None
) -> None:
    assert read_copy(written) == Copy(written if text is None else text)


@pytest.mark.parametrize(
    "end",
    [
        '"body": "Buy\nno',
        '"body": "Buy\nno\\',
        '"body": "Buy\nno", "x": tr',
        '"body": "Buy\nno", "x',
    ],
)
def test_json_that_breaks_off_keeps_all_that_came(end: str) -> None:
    copy = read_copy('{"headline": "Save ,] now", ' + end)
    assert copy == Copy("Save ,] now\n\nBuy\nno", is_cut_off=True)


def test_a_large_image_within_the_copy_does_not_cut_it_off() -> None:
    image = f"![a](data:image/png;base64,{B64}{'A' * 2_000_000})"
    assert read_copy(f"{COPY}\n{image}") == Copy(COPY)


def test_only_so_many_characters_of_all_texts_are_looked_at() -> None:
    beyond = ["word " * 80_000] * 50
    assert list_pictures([[PNG, *beyond[:2], f"See {PNG}?1"]]) == [PNG, f"{PNG}?1"]
    assert list_pictures([[PNG, *beyond, f"See {PNG}?2"]]) == [PNG]
    copy = read_copy([COPY, *beyond, "The end."])
    assert copy.is_cut_off
    assert copy.text is not None
    assert copy.text.startswith(COPY)
    for text in (f"{'word ' * 900_000}![a]({PNG})", f"{'![' * 900_000}![a]({PNG})"):
        assert list_pictures([text]) == []
        assert read_copy(text).is_cut_off


def test_large_pictures_do_not_count_among_these_characters() -> None:
    large = f"{B64.rstrip('=')}{'A' * 3_000_000}"
    texts = [f"![a](data:image/png;base64,{large})", f"Run\n{large}", f'{{"image": "{large}"}}']
    found = list_pictures([[*texts, f"See {PNG}"]])
    assert [one[:22] for one in found] == ["data:image/png;base64,", PNG[:22]]
    assert len(found[0]) > 3_000_000
    assert read_copy([*texts[:2], COPY]) == Copy(f"Run\n\n{COPY}")


def test_outputs_that_are_named_like_something_else_are_no_copy() -> None:
    outputs: dict[str, Any] = {"finish_reason": "stop", "reasoning_content": THOUGHT, "a": COPY}
    assert find_outputs(outputs, text_output="text", picture_output="json").text == COPY


def test_another_output_counts_only_if_it_is_named_like_an_ad() -> None:
    outputs: dict[str, Any] = {"usage": {"unit": "USD"}, "answer": AD}
    assert find_outputs(outputs, text_output="text", picture_output="json").text == COPY
    with pytest.raises(ConfigurationError, match="neither copy nor picture"):
        find_outputs({"usage": {"unit": "USD"}}, text_output="text", picture_output="json")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('{"headline": "Summer is on.", "copy": "Shop no', "Summer is on.\n\nShop no"),
        ('```json\n{"headline": "Summer is on.", "copy": "Shop no', "Summer is on.\n\nShop no"),
        ('Sure: {"headline": "Summer is on.", "cta": "Shop no', "Summer is on.\n\nShop no"),
        (f"{COPY}\n<think>{THOUGHT}", COPY),
        (f"{COPY}\n<reason>{THOUGHT}", COPY),
        (f"{COPY} <think>{THOUGHT}", COPY),
        (f"{COPY}\n<thi", COPY),
        (f"{COPY}\n</reas ", COPY),
        (f"<think>{THOUGHT}", None),
        ("x" * (LONGEST_COPY + 1), "x" * LONGEST_COPY),
    ],
)
def test_copy_that_ends_in_the_middle_says_so(written: str, text: str | None) -> None:
    assert read_copy(written) == Copy(text, is_cut_off=True)


@pytest.mark.parametrize(
    "reason", ["length", "LENGTH", "max_tokens", "MAX_TOKENS", "content_filter"]
)
def test_reasons_for_ending_early(reason: str) -> None:
    assert ends_early(reason)
    assert not any(map(ends_early, ("stop", "end_turn", "", None, 3)))


@pytest.mark.parametrize(
    ("given", "address"),
    [
        pytest.param([{"url": PAGE}, {"url": PNG}], PNG, id="a page stands before the picture"),
        pytest.param([{"result": PAGE}, {"result": PNG}], PNG, id="under the same name"),
        pytest.param({"url": PAGE, "image": "https://cdn.example/x?id=1"},
                     "https://cdn.example/x?id=1", id="in one object"),
        pytest.param([PAGE, PNG], PNG, id="in a list"),
        pytest.param(["https://shop.example/", "https://cdn.example/1"], "https://cdn.example/1",
                     id="a bare host is a page"),
        pytest.param({"links": ["https://x.example/a.html"], "more": {"src": PNG}}, PNG, id="deep"),
        pytest.param({"b64_json": B64}, f"data:image/png;base64,{B64}", id="as OpenAI's images"),
        pytest.param({"data": [{"b64_json": B64}]}, f"data:image/png;base64,{B64}", id="its list"),
        pytest.param({"inlineData": {"mimeType": "image/png", "data": B64}},
                     f"data:image/png;base64,{B64}", id="as Gemini"),
        pytest.param({"type": "image_generation_call", "result": B64},
                     f"data:image/png;base64,{B64}", id="as OpenAI's responses"),
        pytest.param(B64, f"data:image/png;base64,{B64}", id="bare base64"),
        pytest.param(f"\n{WRAPPED}\n", f"data:image/png;base64,{B64}", id="wrapped"),
        pytest.param(JPEG_B64, f"data:image/jpeg;base64,{JPEG_B64}", id="of a JPEG"),
        pytest.param(f"data:image/PNG;charset=utf-8;base64,{B64}",
                     f"data:image/PNG;charset=utf-8;base64,{B64}", id="with parameters"),
        pytest.param(f"DATA:image/png;BASE64,{WRAPPED}", f"DATA:image/png;BASE64,{B64}",
                     id="in capitals, wrapped"),
        pytest.param(f"data:application/octet-stream;base64,{B64}",
                     f"data:application/octet-stream;base64,{B64}", id="of no kind"),
        pytest.param(f"![ad](data:image/png;base64,{WRAPPED})", f"data:image/png;base64,{B64}",
                     id="wrapped in Markdown"),
        pytest.param(f"Look:\n\ndata:image/png;base64,{B64}\n\nNice.",
                     f"data:image/png;base64,{B64}", id="on a line of its own"),
        pytest.param({"type": "custom", "url": PNG}, PNG, id="a file of a type of one's own"),
        pytest.param({"type": "custom", "mime_type": "image/png", "url": "/files/1/preview?s=1"},
                     "/files/1/preview?s=1", id="which says what it is"),
        pytest.param({"type": "output_image", "image_url": PNG}, PNG, id="another type"),
        pytest.param(f"<img src='{PNG}'>", PNG, id="in HTML"),
        pytest.param(f"{COPY}\n{PNG}\n", PNG, id="on a line"),
        pytest.param(f'Here:\n```json\n{{"copy": "Summer", "image_url": "{PNG}"}}\n```', PNG,
                     id="in a fence"),
        pytest.param(f"<think>![a]({PAGE}.png)</think>![b]({PNG})", PNG, id="behind thoughts"),
        pytest.param("data:text/html,<p>x", None, id="a page of its own"),
        pytest.param("data:image/svg+xml,<svg/>", None, id="a drawing"),
        pytest.param("iVBORw0KGgo is not a picture", None, id="words"),
        pytest.param({"type": "video", "url": PNG}, None, id="a video"),
    ],
)  # fmt: skip
def test_the_picture_is_found_however_it_is_given(given: Any, address: str | None) -> None:  # noqa: ANN401
    assert next(iter(list_pictures([given])), None) == address
    found = list_pictures([{"text": COPY}], named=[given])
    assert next(iter(found), None) == address


ADDRESS = f"data:image/png;base64,{B64}"
UNNAMED = "https://cdn.example/abc?sig=1"


@pytest.mark.parametrize(
    ("written", "address", "copy"),
    [
        pytest.param(f"Run\n\n{WRAPPED}\n\nBuy", ADDRESS, "Run\n\nBuy", id="wrapped"),
        pytest.param(f"Run\n{WRAPPED}\nShop", ADDRESS, "Run\n\nShop", id="before a word"),
        pytest.param(f"Run\n```\n{WRAPPED}\n```\nBuy", ADDRESS, "Run\n\nBuy", id="in a fence"),
        pytest.param(f"```base64\n{WRAPPED}\n```", ADDRESS, None, id="in a fence that says so"),
        pytest.param(f"Run\r\n{WRAPPED.replace(chr(10), chr(13) + chr(10))}\r\nBuy", ADDRESS,
                     "Run\r\n\r\nBuy", id="wrapped with two characters"),
        pytest.param(f"Run\ndata:image/png;base64,{WRAPPED}\nBuy", ADDRESS, "Run\n\nBuy",
                     id="a wrapped data: address"),
        pytest.param(f"Run\ndata:image/png;base64,\n{WRAPPED}\nBuy", ADDRESS, "Run\n\nBuy",
                     id="which begins on a line of its own"),
        pytest.param(f"Run {ADDRESS} now", ADDRESS, "Run  now", id="a data: address among words"),
        pytest.param(f"Run\n{B64}\nBuy", ADDRESS, "Run\n\nBuy", id="on one line"),
        pytest.param(f'Run\n"{B64}"', ADDRESS, "Run", id="in quotes"),
        pytest.param(f"Here: {B64}", ADDRESS, "Here:", id="behind a word"),
        pytest.param(json.dumps({"headline": "Run", "imageBase64": B64}), ADDRESS, "Run",
                     id="in JSON"),
        pytest.param(f"Run\nImage: {PNG}", PNG, "Run", id="an address behind what it is"),
        pytest.param(f"Run\n**Image:** {UNNAMED}", UNNAMED, "Run", id="in bold, without a type"),
        pytest.param(f"Run\n[Picture]({PNG})", PNG, "Run", id="a link"),
        pytest.param(f"Run\n[Picture]({UNNAMED})", UNNAMED, "Run", id="a link without a type"),
        pytest.param(f"Run\n<{PNG}>", PNG, "Run", id="in angle brackets"),
        pytest.param(f"Run\n- {PNG}", PNG, "Run", id="in a list"),
        pytest.param(f"Run\n`{PNG}?a=1&amp;b=2`", f"{PNG}?a=1&b=2", "Run", id="in a code span"),
        pytest.param(f"See ({PNG}).", PNG, f"See ({PNG}).", id="among words"),
        pytest.param(f"Run\n[Shop now]({UNNAMED})", None, f"Run\n[Shop now]({UNNAMED})",
                     id="a link to a page"),
        pytest.param(f"Run\nShop: {UNNAMED}", None, f"Run\nShop: {UNNAMED}", id="a page"),
    ],
)  # fmt: skip
def test_a_picture_between_the_copy_is_found_and_taken_out_of_it(
    written: str, address: str | None, copy: str | None
) -> None:
    assert next(iter(list_pictures([written])), None) == address
    assert read_copy(written).text == copy


@pytest.mark.parametrize(
    "name",
    ["imageUrl", "picture_url", "image_link", "output_image", "thumbnail", "photo", "ad-image",
     "ImageURL", "images", "image_base64_or_url", "generatedPhoto", "img_src"],
)  # fmt: skip
def test_a_picture_is_told_by_the_words_of_its_name(name: str) -> None:
    given: dict[str, Any] = {"url": PAGE, name: UNNAMED, "link": PAGE, "image_prompt": f"{PAGE}/1"}
    assert list_pictures([{"result": given}])[0] == UNNAMED
    assert list_pictures([json.dumps(given)])[0] == UNNAMED
    outputs: dict[str, Any] = {"text": COPY, "page_url": f"{PAGE}.png", name: UNNAMED}
    assert find_outputs(outputs, text_output="text", picture_output="json").picture == UNNAMED


def test_all_that_may_be_pictures_are_told_and_what_is_named_comes_first() -> None:
    found = list_pictures([PNG, f"{PAGE}.html"], named=[PAGE])
    assert found == [PAGE, PNG, f"{PAGE}.html"]
    assert len(list_pictures([[f"https://x.example/{n}.png" for n in range(99)]])) == 4


@pytest.mark.parametrize(
    "address",
    [
        f"data:image/png;base64,{B64}",
        f"data:image/PNG;charset=utf-8;BASE64,{B64}",
        f"data:image/png;base64,{B64.rstrip('=')}",
        f"data:image/png;base64,{base64.urlsafe_b64encode(PICTURE).decode()}",
        f"data:image/png;base64,{B64.replace('+', '%2B').replace('=', '%3D')}",
        f"data:image/png;base64,{WRAPPED}",
        "data:image/png," + "".join(f"%{byte:02x}" for byte in PICTURE),
    ],
)
def test_a_data_address_is_read(address: str) -> None:
    assert read_data_address(address) == PICTURE


@pytest.mark.parametrize("line", ["# **Summer**", "> - Summer *", "***Summer***", "Summer"])
def test_a_title_is_without_markup(line: str) -> None:
    assert find_title(f"\n \n{line}\nmore") == "Summer"


def test_images_are_found_where_a_reader_sees_them() -> None:
    text = f"![a]({PNG}) and ![b](<{PNG}> 'title') [c](d) ![e](f_(1).png) ![ ![g](h.png)"
    assert [one.address for one in find_images(text)] == [PNG, PNG, "f_(1).png", "h.png"]
    assert without_images(text) == "and  [c](d)  ![ "[:-1]


@pytest.mark.parametrize(
    ("written", "copy", "addresses"),
    [
        pytest.param("Wow![new] shoe.\nVery long.\nDetails [here](https://x.example/t).", None, [],
                     id="a mark that belongs to no image"),
        pytest.param("Buy now![Shop](https://x.example/t)", "Buy now", ["https://x.example/t"],
                     id="what Markdown shows as an image"),
        pytest.param(f"![a [b] c]({PNG}) Run", "Run", [PNG], id="brackets in pairs"),
        pytest.param(f"![a \\] c]({PNG}) Run", "Run", [PNG], id="a bracket that is escaped"),
        pytest.param(f"Wow![1] Run ![a]({PNG}) [t](u)", "Wow![1] Run  [t](u)", [PNG],
                     id="behind a mark of none"),
        pytest.param(f"[![a]({PNG})](https://z.example)\nRun", "Run", [PNG], id="a linked one"),
        pytest.param(f"[ ![a]({PNG}) ](https://z.example 'Z') Run", "Run", [PNG],
                     id="a linked one with blanks"),
        pytest.param(f"[See ![a]({PNG})](https://z.example)", "[See ](https://z.example)", [PNG],
                     id="a link with words"),
        pytest.param(f'<a href="x">![a]({PNG}?a=1&amp;sig=2&copy=3)</a>', '<a href="x"></a>',
                     [f"{PNG}?a=1&sig=2&copy=3"], id="entities"),
        pytest.param(f'<img src="{PNG}?a=1&amp;sig=2&copy=3">', "", [f"{PNG}?a=1&sig=2&copy=3"],
                     id="entities in HTML"),
        pytest.param("![x](<https://x.example/a b.png>) Run", "Run", ["https://x.example/a%20b.png"],
                     id="blanks in an address"),
    ],
)  # fmt: skip
def test_an_image_is_what_markdown_takes_for_one(
    written: str, copy: str | None, addresses: list[str]
) -> None:
    assert [one.address for one in find_images(written)] == addresses
    assert without_images(written) == (written if copy is None else copy)


# Texts that take a time of the square of their length where a pattern tries every beginning with
# every end: one that is not closed, or begins again and again.
HOSTILE: dict[str, Callable[[int], str]] = {
    "an image that is not closed": lambda n: "![a](" + "b" * n,
    "one with blanks": lambda n: "![a](" + " " * n,
    "one with brackets": lambda n: "![a](" + "(b)" * (n // 3),
    "images in each other": lambda n: "![a](" * (n // 5),
    "images in brackets": lambda n: "![a](<" * (n // 6),
    "images with a title": lambda n: "![a](b " * (n // 7),
    "images of data": lambda n: "![a](data:" * (n // 10),
    "beginnings of images": lambda n: "![" * (n // 2),
    "ends of images": lambda n: "](" * (n // 2),
    "images in links": lambda n: "[![a](b)](" * (n // 10),
    "brackets in pairs": lambda n: "![" + "[]" * (n // 2) + "](a)",
    "words of images": lambda n: "![" + "[" * n,
    "tags of images": lambda n: "<img " * (n // 5),
    "a tag of an image": lambda n: "<img " + "src=" * (n // 4),
    "quotes in a tag": lambda n: "<img " + 'src="' * (n // 5),
    "thoughts in each other": lambda n: "<think>" * (n // 7),
    "thoughts without a beginning": lambda n: "</think>" * (n // 8),
    "tags that are not closed": lambda n: "<think " * (n // 7),
    "a tag with blanks": lambda n: "<" + " " * n + "think",
    "folded parts": lambda n: "<details><summary>thinking" * (n // 26),
    "channels": lambda n: "<|channel|>final<|message|>" * (n // 27),
    "fences": lambda n: "```json\n{\n" * (n // 10),
    "a fence that is long": lambda n: "`" * n + "x" * 200,
    "braces": lambda n: '{"a":' * (n // 5),
    "brackets": lambda n: "[[" * (n // 2),
    "beginnings of JSON": lambda n: '{"copy" ' * (n // 8),
    "a text of JSON that is not closed": lambda n: '{"a":"' + "\\n" * (n // 2),
    "quotes": lambda n: '{"' * (n // 2),
    "lines of JSON": lambda n: '{"a":1}\n' * (n // 8),
    "commas": lambda n: '{"a":1' + "," * n,
    "commas with blanks": lambda n: '{"a":1' + ", \n" * (n // 3) + "}",
    "comments": lambda n: '{"a":1' + "//" * (n // 2),
    "escaped quotes": lambda n: '{"a":' + '\\"' * (n // 2),
    "JSON in JSON": lambda n: '"{' + '\\"' * (n // 2) + '}"',
    "blank lines": lambda n: "a" + "\n \n" * (n // 3) + "a",
    "blanks": lambda n: "a" + " " * n + "a",
    "stars": lambda n: "a" + "*" * n + "a",
    "marks of a heading": lambda n: "#" * n + "a",
    "base64": lambda n: B64[:64] + "A" * n + "!",
    "lines of base64": lambda n: (B64[:76] + "\n") * (n // 77),
    "base64 in lines": lambda n: B64[:76] + ("\n" + "A" * 76) * (n // 77),
    "beginnings of base64": lambda n: "/9j/" * (n // 4),
    "beginnings of data": lambda n: "data:image/png," * (n // 15),
    "data": lambda n: "data:" * (n // 5),
    "lines of links": lambda n: "[a](https://x.example/a.png\n" * (n // 28),
    "one line of an address": lambda n: "Image: https://x.example/" + "a" * n + " b",
    "base64 with blanks": lambda n: B64[:64] + " " * n + "!",
    "addresses": lambda n: "https://" * (n // 8),
    "lines": lambda n: "https://x.example/a.png\n" * (n // 24),
}


def _read_all(text: str) -> None:
    copy = read_copy(text)
    find_title(copy.text)
    find_title(text)
    without_images(text)
    without_reasoning(text)
    list_pictures([text])


@pytest.mark.parametrize("kind", HOSTILE)
def test_twelve_times_the_text_takes_no_square_of_the_time(kind: str) -> None:
    assert_no_square(_read_all, HOSTILE[kind])


PIECES = st.sampled_from(
    ["![", "](", ")", "(", "<", ">", "<think>", "</think>", "```json\n", "```\n", '{"copy": "',
     '"}', "data:image/png;base64,", B64, PNG, " ", "\n", "Summer", "[", "]", "\\", ","]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30).map("".join))
def test_whatever_is_written_is_read_and_the_copy_reads_as_itself(written: str) -> None:
    copy = read_copy(written)
    _read_all(written)
    if copy.text:
        assert "<think>" not in copy.text
        assert f"![]({PNG})" not in copy.text
