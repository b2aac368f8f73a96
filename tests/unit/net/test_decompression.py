"""Encodings of what is downloaded: what browsers take, and nothing without a bound."""

import gzip
import zlib

import pytest

from adspark.errors import UnusableContentError
from adspark.net.decompression import choose_decoder

CONTENT = b"a picture of an ad " * 500
MB = 2**20


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)  # the same bytes at any time


def raw_deflate(content: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(content) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "compressed"),
    [
        ("", CONTENT),
        ("identity", CONTENT),
        ("none", CONTENT),
        ("None", CONTENT),
        ("aws-chunked", CONTENT),
        ("utf-8", CONTENT),
        ("binary", CONTENT),
        (",, identity ,", CONTENT),
        ("gzip", gzipped(CONTENT)),
        ("x-gzip", gzipped(CONTENT)),
        ("GZip", gzipped(CONTENT)),
        ("aws-chunked, gzip", gzipped(CONTENT)),
        ("gzip,aws-chunked", gzipped(CONTENT)),
        ("gzip", gzipped(CONTENT[:99]) + gzipped(CONTENT[99:])),
        (
            "gzip",
            gzipped(CONTENT[:99]) + gzipped(b"") + gzipped(CONTENT[99:]),
        ),
        ("deflate", zlib.compress(CONTENT)),
        ("deflate", raw_deflate(CONTENT)),
        ("deflate", zlib.compress(CONTENT) + b"\n"),
        ("deflate", raw_deflate(CONTENT) + b"\n"),
        ("gzip, gzip", gzipped(gzipped(CONTENT))),
        ("deflate, gzip", gzipped(zlib.compress(CONTENT))),
        ("gzip, deflate", raw_deflate(gzipped(CONTENT))),
    ],
)
@pytest.mark.parametrize("size", [1, 13, 10**6])
def test_what_browsers_take_is_decompressed_however_its_bytes_arrive(
    encoding: str, compressed: bytes, size: int
) -> None:
    decoder = choose_decoder(encoding, "x")
    chunks = (compressed[at : at + size] for at in range(0, len(compressed), size))
    assert b"".join(decoder.decompress_at_most(chunk, MB) for chunk in chunks) == CONTENT
    assert decoder.is_complete


@pytest.mark.parametrize(
    "encoding", ["br", "zstd", "compress", "gzip, br", ", ".join(["gzip"] * 9)]
)
def test_what_cannot_be_undone_is_refused(encoding: str) -> None:
    with pytest.raises(UnusableContentError, match="comes in the encoding"):
        choose_decoder(encoding, "x")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "deflate, gzip"])
def test_a_bomb_gives_no_more_than_is_asked_for(encoding: str) -> None:
    compressed = zeros = b"\0" * (8 * MB)
    for name in encoding.split(", "):
        compressed = gzipped(compressed) if name == "gzip" else zlib.compress(compressed)
    decoder = choose_decoder(encoding, "x")
    pieces = decoder.decompress(compressed)
    assert len(next(pieces)) <= 64 * 1024
    assert choose_decoder(encoding, "x").decompress_at_most(compressed, 1000) == zeros[:1000]


@pytest.mark.parametrize(
    ("encoding", "compressed"),
    [("gzip", gzipped(CONTENT)), ("deflate", zlib.compress(CONTENT))],
    ids=["gzip", "deflate"],  # the bytes hold the time, and workers collect at different ones
)
def test_its_end_is_known_so_that_nothing_behind_it_is_read(
    encoding: str, compressed: bytes
) -> None:
    decoder = choose_decoder(encoding, "x")
    known = [decoder.is_complete and decoder.decompress_at_most(compressed[:-1], MB) == CONTENT]
    known += [decoder.is_complete, decoder.is_over]
    decoder.decompress_at_most(compressed[-1:] + b"\0\0\0", MB)
    assert [*known, decoder.is_complete, decoder.is_over] == [True, False, False, True, True]


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_is_not_as_it_says_is_refused(encoding: str) -> None:
    with pytest.raises(UnusableContentError, match=f"is not the {encoding} it says"):
        choose_decoder(encoding, "x").decompress_at_most(b"\xff\xfe\xfd no compression at all", MB)


def test_pieces_without_an_end_are_refused() -> None:
    decoder = choose_decoder("gzip", "x")
    with pytest.raises(UnusableContentError, match="too many gzip members"):
        decoder.decompress_at_most(gzipped(b"") * 20_000, MB)
