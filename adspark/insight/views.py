"""The documented views for tools that draw figures: columns are added, never renamed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """A view: what a row of it is, and its columns as in SQL, each with PostgreSQL's type."""

    name: str
    row: str
    definition: str
    notes: dict[str, str]

    @property
    def columns(self) -> dict[str, str]:
        """Name to type, in their order."""
        named = (one.split(maxsplit=1) for one in self.definition.split(","))
        return {name: kind.strip() for name, kind in named}


VIEWS = (
    View(
        "insight_ad",
        "an ad",
        """
            ad_creative_id text, advertiser_id text, advertiser text, format text, width integer,
            height integer, domain text, platforms text[], searched_regions text[],
            first_day date, last_day date, is_running boolean, days integer
        """,
        {"searched_regions": "SerpApi's codes", "days": "running"},
    ),
    View(
        "insight_daily",
        "an advertiser's day, none left out from its first ad until none runs any more",
        "advertiser_id text, day date, launched bigint, ended bigint, running bigint",
        {"ended": "ads of which it was the last day"},
    ),
    View(
        "insight_mix",
        "a format, size or platform of an advertiser",
        "advertiser_id text, kind text, value text, ads bigint, running bigint",
        {},
    ),
    View(
        "insight_region",
        "a region of an advertiser",
        """
            advertiser_id text, region text, ads bigint, entered_on date, left_on date,
            running bigint, ads_with_details bigint
        """,
        {
            "left_on": "empty while an ad runs there; one that was shown there in the week before "
            "its details were bought is taken to be shown there on",
            "ads_with_details": "whose days there are known; of others the ad's own count",
        },
    ),
    View(
        "insight_survival",
        "an advertiser's ads of so many days running",
        """
            advertiser_id text, days integer, at_risk bigint, ended bigint, still_running bigint,
            survival double precision
        """,
        {"survival": "share that lasts longer, 0 to 1"},
    ),
    View(
        "insight_share",
        "an advertiser's day",
        "day date, advertiser_id text, running bigint, share_of_creatives_seen double precision",
        {"share_of_creatives_seen": "of all stored advertisers' on that day"},
    ),
)
