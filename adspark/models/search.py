"""What the search for words reads."""

from sqlalchemy import BigInteger, Column, Identity, Index, Text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field, SQLModel


class SearchDocument(SQLModel, table=True):
    """What a search finds an ad by, where more is known of it than its own row says.

    Made by triggers (migration 0010) from details, domain and tags; the advertiser and the tags
    are in it as keys.
    """

    __tablename__ = "search_document"

    ad_creative_id: str = Field(primary_key=True, sa_type=Text)
    number: int = Field(
        default=None,
        sa_column=Column(BigInteger, Identity(always=True), nullable=False, index=True),
        description="Greater for what was learned later.",
    )
    document: str = Field(
        sa_column=Column(TSVECTOR, nullable=False),
        description="Weights: A headlines, B other copy, C advertiser, D domains and tags.",
    )
    has_words: bool = Field(description="Its copy is known, not only where it leads or a tag.")

    __table_args__ = (Index(None, "document", postgresql_using="gin"),)


class SearchWord(SQLModel, table=True):
    """A word of any document: what a misspelled one is compared with."""

    __tablename__ = "search_word"

    word: str = Field(primary_key=True, sa_type=Text)
