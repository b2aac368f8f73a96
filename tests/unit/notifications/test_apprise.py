"""Messages to people: whom an address names, and how a message is parted for each."""

import pytest
from pydantic import SecretStr

from adspark.errors import ConfigurationError
from adspark.notifications.apprise import Receiver, list_receivers, write_chunks
from adspark.notifications.message import read_markdown
from adspark.notifications.outbox import hash_receiver

TOKEN = "3ccdd113474722377935511fc85d3dd4"


@pytest.mark.parametrize(
    ("address", "count"),
    [
        ("json://127.0.0.1/hook", 1),
        ("gotify://127.0.0.1/token", 1),
        ("mailto://u:p@example.com?to=a@example.com", 1),
        ("mailto://u:p@example.com?to=a@example.com,b@example.com", 2),
        ("ntfy://127.0.0.1/news/alerts", 2),
        ("tgram://123456789:abcdefghijklmnop/111/222/333", 3),
        ("rocket://u:p@127.0.0.1/#news/@ann", 2),
        (f"mmost://127.0.0.1/{TOKEN}?channel=red,blue", 2),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#a/#b", 2),
        ("nothing://at/all", 1),
    ],
)
def test_each_target_of_an_address_is_a_receiver(address: str, count: int) -> None:
    receivers = list_receivers(SecretStr(address))
    assert len(receivers) == count
    hashes = {hash_receiver(one) for one in receivers}
    assert len(hashes) == count
    whole = hash_receiver(Receiver(SecretStr(address)))
    assert (whole in hashes) == (count == 1)  # so that what waits for it is still delivered


@pytest.mark.parametrize("receiver", [0, 1])
def test_a_long_message_is_parted_as_the_service_takes_it(receiver: int) -> None:
    address = SecretStr(f"mmost://127.0.0.1/{TOKEN}?channel=red,blue")
    body = "\n\n".join(f"{word}{' filler' * 530}" for word in ("alpha", "beta", "gamma"))
    parts = write_chunks(
        list_receivers(address)[receiver], subject="News", blocks=read_markdown(body)
    )
    assert [len(part.body) <= 4000 for part in parts] == [True] * 3
    words = " ".join(part.body for part in parts).split()
    assert words == ["News", *body.split()]


def test_a_short_message_is_one_part() -> None:
    receiver = Receiver(SecretStr("json://127.0.0.1/hook"))
    (part,) = write_chunks(receiver, subject="News", blocks=read_markdown("**Launches: 1**"))
    assert (part.title, part.body) == ("News", "Launches: 1")  # plain text: Apprise tells it so


def test_an_address_that_is_none_is_said_to_be_none() -> None:
    with pytest.raises(
        ConfigurationError, match="Apprise does not understand the address; correct"
    ):
        write_chunks(
            Receiver(SecretStr("nothing://s3cret")), subject="News", blocks=read_markdown("x")
        )
