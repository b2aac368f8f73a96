"""Report what the watches found since the last digest, and which could not be checked.

Blocks: digest-recipients/adspark, adspark-database/adspark. Limits: none. Tables: watch,
watch_creative, creative_event, creative_region, creative, advertiser, picture_version,
picture_words, creative_detail, message.
"""

from collections.abc import Sequence
from typing import Annotated

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from prefect.logging import get_run_logger

from adspark.db.engine import Database, read_now
from adspark.notifications.digest import DigestSummary, mark_digested, read_digest
from adspark.notifications.digest_text import Digest
from adspark.notifications.outbox import (
    enqueue_messages,
    hash_receiver,
    read_stuck,
    receivers_by_hash,
)
from adspark.notifications.pictures import embed_pictures
from blocks.adspark_database import connect_database
from blocks.digest_recipients import DigestRecipients
from flows.ad_tables import read_shown
from flows.endings import PLAIN_JSON, completed, failed
from flows.parameters import label
from tasks.deliver_messages import deliver_messages

ARTIFACT_KEY = "digest"


@flow(name="send-digest", persist_result=True, result_serializer=PLAIN_JSON)
async def send_digest(
    even_if_empty: Annotated[bool, label("Send even if empty")] = False,
) -> DigestSummary:
    """Report what is new since the last digest, under Artifacts and to the configured addresses.

    It ends Failed ("Partly Failed" where others were delivered) where a message could not be
    delivered, which waits for the next run, or where nobody knows whether one was, which is not
    sent again.

    Args:
        even_if_empty: Send it even if there is nothing new.
    """
    log = get_run_logger()
    configured = await DigestRecipients.load_configured()
    recipients = [hash_receiver(receiver) for receiver in configured.list_receivers()]
    known = list(receivers_by_hash(configured.list_addresses()))
    async with connect_database() as database:
        digest = await _publish_digest(database, recipients, known, even_if_empty)
        for line in digest.undelivered:
            log.warning(line)
        if not recipients:
            log.info(
                "No address is configured (ADSPARK_NOTIFY_ADDRESSES, or the block "
                "digest-recipients/adspark); the digest is only in this run's tab Artifacts."
            )
        sent = await deliver_messages(digest.at)
    if sent.problem is not None:
        name = "Partly Failed" if sent.delivered else "Failed"
        return failed(DigestSummary, sent.problem, name=name)
    summary = DigestSummary(
        watches=len(digest.watches),
        with_news=len(digest.with_news),
        news=digest.news,
        events=digest.counts,
        new_regions=digest.new_regions,
        unseen=len(digest.unseen),
        delivered=sent.delivered,
        stuck=len(digest.undelivered),
    )
    return completed(summary, summary.headline)


async def _publish_digest(
    database: Database, recipients: Sequence[str], known: Sequence[str], even_if_empty: bool
) -> Digest:
    """Read the digest, publish it, enqueue its messages and note that it was reported.

    Args:
        database: of the watches, and of the outbox.
        recipients: hashes of the receivers that get it.
        known: hashes of all that earlier messages may name and that are configured.
        even_if_empty: enqueue it also where there is nothing new.
    """
    async with database.transaction() as session:
        digest = await read_digest(session, now=await read_now(session))
        stuck = await read_stuck(session, recipients=known)
        digest.undelivered = [message.headline for message in stuck]
        if digest.is_worth_sending or even_if_empty:
            await enqueue_messages(
                session, subject=digest.subject, body=digest.markdown(), recipients=recipients
            )
        # Before the commit: without an address, the artifact is the only place of the digest.
        page = digest.markdown()
        pictures = await read_shown(page, "The digest is shown without pictures: %s")
        page = embed_pictures(page, pictures)
        await acreate_markdown_artifact(key=ARTIFACT_KEY, markdown=page)
        # Last, since it locks the watches, and no check of theirs can end meanwhile.
        await mark_digested(session, digest=digest)
    return digest
