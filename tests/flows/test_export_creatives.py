"""The flow export-creatives: a file in the folder of exports, renewed at each run."""

from datetime import date

import pytest

from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.settings import get_settings
from flows.export_creatives import export_creatives
from tests.support.exporting import json_rows
from tests.support.library import ad, fill_library

pytestmark = pytest.mark.usefixtures("environment")


async def test_ads_are_exported_into_the_folder_of_exports_again_and_again(
    database: Database,
) -> None:
    await fill_library(database)
    state = await export_creatives("ads.jsonl", creative_format="text", return_state=True)
    summary = await state.aresult()
    assert state.message == summary.headline
    file = get_settings().home / "exports" / "ads.jsonl"
    assert summary.ads == len(json_rows(file.read_bytes())) == 3
    again = await export_creatives("ads.jsonl", advertiser="cafe zoe", first_from=date(2030, 1, 1))
    assert again.ads == 0
    assert (await export_creatives("ads.jsonl", advertiser="cafe zoe", region=2276)).ads == 1
    assert json_rows(file.read_bytes())[0]["ad_creative_id"] == ad(4)
    with pytest.raises(InvalidQueryError, match="has to end with one of"):
        await export_creatives("ads.txt")
