"""Copy and picture, wherever a workflow's author has put them."""

import json
from typing import Any

import pytest

from adspark.errors import ConfigurationError
from adspark.generators.answers.pictures import list_pictures
from adspark.generators.answers.text_images import without_images
from adspark.generators.dify.outputs import find_outputs

COPY = "Summer is on.\n\nShop now!"
PNG = "https://cdn.example/ad.png"
SIGNED = "https://dify.example/files/tools/1f.png?timestamp=1&nonce=a%2Fb&sign=x%3D"
RELATIVE = "/files/tools/1f.png?timestamp=1&nonce=ab&sign=x="
DATA = "data:image/png;base64,iVBORw0KGgo="
Outputs = dict[str, Any]


def found(
    outputs: Outputs,
    *files: Any,  # noqa: ANN401
    text: str = "text",
    picture: str = "json",
) -> tuple[str | None, str | None]:
    """The copy and the likeliest picture that are found, with the usual names."""
    made = find_outputs(outputs, files, text_output=text, picture_output=picture)
    return made.text, made.picture


def file(**values: Any) -> Outputs:  # noqa: ANN401
    """A file as Dify's nodes give it."""
    return {
        "dify_model_identity": "__dify__file__",
        "type": "image",
        "transfer_method": "tool_file",
        "remote_url": "https://model.example/expired.png",
        "filename": "ad.png",
        "mime_type": "image/png",
        "url": RELATIVE,
    } | values


@pytest.mark.parametrize(
    ("outputs", "text", "picture"),
    [
        pytest.param({"text": COPY, "json": [{"result": PNG}]}, COPY, PNG, id="the guide's shape"),
        pytest.param({"text": COPY, "json": [{"result": PNG}, {"result": SIGNED}]}, COPY, PNG,
                     id="the first of several"),
        pytest.param({"text": f"{COPY}\n\n![ad]({SIGNED})"}, COPY, SIGNED,
                     id="an image in the Markdown, with a query"),
        pytest.param({"text": f'![ad]({PNG} "An ad")\n\n{COPY}'}, COPY, PNG, id="with a title"),
        pytest.param({"text": f"![ad](<{PNG}>){COPY}"}, COPY, PNG, id="in angle brackets"),
        pytest.param({"text": f"{COPY} ![](https://x.example/a_(1).png)"}, COPY,
                     "https://x.example/a_(1).png", id="an address with brackets of its own"),
        pytest.param({"text": f"![ad]({RELATIVE}) {COPY}"}, COPY, RELATIVE, id="without a host"),
        pytest.param({"text": f"{COPY}\n![ad]({DATA})"}, COPY, DATA, id="a data: address within"),
        pytest.param({"text": f"{COPY} ![logo](logo.png)", "more": PNG}, COPY, PNG,
                     id="an image that is no address is none"),
        pytest.param({"text": COPY, "image": file()}, COPY, RELATIVE, id="a file object"),
        pytest.param({"text": COPY, "image": file(url=None)}, COPY,
                     "https://model.example/expired.png", id="a file with its source only"),
        pytest.param({"text": COPY, "files": [file(), file(url=PNG)]}, COPY, RELATIVE,
                     id="a list of file objects"),
        pytest.param({"text": COPY, "files": [file(type="document"), file(url=PNG)]}, COPY, PNG,
                     id="of which a document is no picture"),
        pytest.param({"text": COPY, "video": file(type="video")}, COPY, None, id="nor is a video"),
        pytest.param({"text": COPY, "json": json.dumps([{"result": PNG}])}, COPY, PNG,
                     id="JSON in a text"),
        pytest.param({"text": COPY, "json": json.dumps({"data": {"images": [{"url": PNG}]}})},
                     COPY, PNG, id="deep in it"),
        pytest.param({"text": COPY, "json": PNG}, COPY, PNG, id="just an address"),
        pytest.param({"text": COPY, "json": f"\n {SIGNED} \n"}, COPY, SIGNED, id="with a query"),
        pytest.param({"text": COPY, "json": DATA}, COPY, DATA, id="a data: address"),
        pytest.param({"text": COPY, "json": [{"image_url": {"url": DATA}}]}, COPY, DATA,
                     id="as chat models give it"),
        pytest.param({"text": "Shop at https://shop.example/summer now."},
                     "Shop at https://shop.example/summer now.", None,
                     id="a text that mentions a link is copy and no picture"),
        pytest.param({"text": "[Shop](https://shop.example/)"}, "[Shop](https://shop.example/)",
                     None, id="so is a link in Markdown"),
        pytest.param({"text": "[SANDBOX] Summer"}, "[SANDBOX] Summer", None,
                     id="what begins like JSON and is none"),
        pytest.param({"text": "[" * 100_000}, "[" * 100_000, None, id="nor this"),
        pytest.param({"text": COPY, "json": None}, COPY, None, id="no picture was made"),
        pytest.param({"text": "", "json": [{"result": PNG}]}, None, PNG, id="no copy was made"),
        pytest.param({"text": " \n", "json": PNG}, None, PNG, id="nor was it here"),
        pytest.param({"answer": COPY, "picture": PNG}, COPY, PNG, id="other names"),
        pytest.param({"steps": 3, "ok": True, "answer": COPY}, COPY, None, id="numbers are none"),
        pytest.param({"landing": SIGNED, "text": COPY, "json": PNG}, COPY, PNG,
                     id="the configured names come first"),
        pytest.param({"headline": "Summer is on.", "cta": "Shop now!"}, COPY, None,
                     id="an output for each part"),
        pytest.param({"cta": "Shop now!", "image": PNG, "text": "", "ad_title": "Summer is on."},
                     COPY, PNG, id="in another order, with a picture"),
        pytest.param({"headline": "Summer", "description": 50, "cta": "Go", "headline_url": PNG},
                     "Summer\n\n50\n\nGo", PNG, id="of which one is a number"),
        pytest.param({"headline": "Not this.", "body": "Nor this.", "text": COPY}, COPY, None,
                     id="beside the configured one"),
        pytest.param({"thoughts": "Hm.", "text": COPY}, COPY, None, id="for the copy, too"),
    ],
)  # fmt: skip
def test_copy_and_picture_are_found(outputs: Outputs, text: str | None, picture: str) -> None:
    assert found(outputs) == (text, picture)


def test_names_of_ones_own_come_first() -> None:
    outputs = {"text": "Not this.", "json": PNG, "slogan": COPY, "banner": file()}
    assert found(outputs, text="slogan", picture="banner") == (COPY, RELATIVE)


def test_one_output_may_hold_both() -> None:
    outputs = {"other": PNG, "answer": f"{COPY}\n\n![]({SIGNED})"}
    assert found(outputs, text="answer", picture="answer") == (COPY, SIGNED)


def test_the_files_beside_the_outputs_are_looked_at_last() -> None:
    assert found({"text": COPY}, file()) == (COPY, RELATIVE)
    assert found({"text": COPY, "picture": PNG}, file()) == (COPY, PNG)


@pytest.mark.parametrize(
    ("outputs", "named"),
    [
        pytest.param({}, r"\(none\)", id="no outputs"),
        pytest.param({"answer": "", "steps": 3}, r"\('answer', 'steps'\)", id="an empty one"),
        pytest.param({"list": [], "more": {"a": {"b": 1}}}, r"\('list', 'more'\)", id="structures"),
        pytest.param({"json": '{"a": 1}'}, r"\('json'\)", id="JSON is no copy"),
        pytest.param({"doc": file(type="document")}, r"\('doc'\)", id="a document"),
        pytest.param({"x": [[[[[[[[[PNG]]]]]]]]]}, r"\('x'\)", id="too deep"),
    ],
)
def test_nothing_that_fits_is_a_failure_that_names_what_there_is(
    outputs: Outputs, named: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"{named}.*picture_output"):
        found(outputs)


def test_copy_keeps_its_lines_without_the_images_between() -> None:
    text = f"# Summer\n\n![a]({PNG})\n\n![b]({DATA})\n\nShop now!"
    assert without_images(text) == "# Summer\n\nShop now!"
    assert list_pictures([text]) == [PNG, DATA]
    assert list_pictures(["Shop now!"]) == []
