"""The preview script: JavaScript that draws an ad into a page, as the `link` of a row promises."""

import json
import re
from collections.abc import Mapping

from adspark.sandbox.library.catalogue import Row

# Both names end up in a script, so nothing but these characters gets through.
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_SCRIPT = """// AdSpark SANDBOX: a placeholder for an ad preview.
(function () {
  var ad = %s;
  function add(to, text, style) {
    var part = document.createElement("div");
    part.textContent = text;
    part.style.cssText = style;
    to.appendChild(part);
    return part;
  }
  var place = document.getElementById(ad.place);
  if (place) {
    var video = ad.format === "video";
    var card = add(place, "", "box-sizing:border-box;width:380px;height:214px;padding:16px;" +
      "border:2px dashed #5f6368;overflow:hidden;font:14px/1.4 sans-serif;" +
      (video ? "background:#202124;color:#fff" : "background:#fff;color:#202124"));
    add(card, "SANDBOX", "font-weight:bold;letter-spacing:2px;color:#e8710a");
    if (video) { add(card, "\\u25B6", "font-size:44px;line-height:60px;text-align:center"); }
    add(card, ad.advertiser, "font-size:22px;font-weight:bold;margin:8px 0");
    add(card, ad.format + " ad " + ad.id, "font-size:12px;opacity:.8");
    add(card, "placeholder, not the real ad", "font-size:12px;opacity:.8");
  }
  var done = window[ad.done];
  if (typeof done === "function") { done(); }
})();
"""


def write_preview(row: Row, params: Mapping[str, str]) -> str | None:
    """The script for a row, or None where the page's names are missing or not plain."""
    place, done = params.get("htmlParentId", ""), params.get("responseCallback", "")
    if not (_NAME.fullmatch(place) and _NAME.fullmatch(done)):
        return None
    ad = {
        "place": place,
        "done": done,
        "id": row["ad_creative_id"],
        "advertiser": row["advertiser"],
        "format": row["format"],
    }
    return _SCRIPT % json.dumps(ad).replace("<", "\\u003c")
