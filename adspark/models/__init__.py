"""The tables, and the enums that are their vocabulary. Times are aware UTC, durations seconds."""

from adspark.models.boards import Board, BoardCreative, BoardLink
from adspark.models.creatives import (
    Advertiser,
    AdvertiserDomain,
    Creative,
    CreativeDetail,
    CreativeFormat,
    CreativeRegion,
    Platform,
)
from adspark.models.fetches import Fetch, FetchStatus, RateSlot, RejectedRow, StopReason
from adspark.models.marks import CreativeNote, CreativeTag, SharedTag, UserTag
from adspark.models.pictures import (
    NewVersion,
    PictureStatus,
    PictureVersion,
    PictureWords,
    ReadingStatus,
)
from adspark.models.rules import RuleVersion
from adspark.models.search import SearchDocument, SearchWord
from adspark.models.users import (
    DEFAULT_USER,
    DEFAULT_WEIGHT,
    Account,
    AccountSession,
    AppUser,
    Role,
    SearchShare,
)
from adspark.models.variants import (
    AdVariant,
    BatchState,
    GenerationBudget,
    GenerationUse,
    ReviewReason,
    VariantBatch,
    VariantFeedback,
    VariantStatus,
)
from adspark.models.watches import Coverage, CreativeEvent, EventKind, Message, Watch, WatchCreative
