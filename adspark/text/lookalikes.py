"""Letters and digits that are taken for Latin letters, and the letters that they stand for."""

# ruff: noqa: RUF001  (that is what they are)

CAPITALS = str.maketrans(
    "АВЕЅІЈКМНОРСТУХԚԜ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "ABESIJKMHOPCTYXQW" + "ABEZHIKMNOPTYX",
)
"""Cyrillic and Greek capitals; as small letters some of them look like other letters."""

SMALL = str.maketrans(
    "авеѕіјкмнорстухԁһԛԝ" + "αβεικνορτυχηω" + "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ" + "ɑɡℓ",
    "abesijkmhopctyxdhqw" + "abeikvoptuxnw" + "abcdefghijklmnoprstuvwyz" + "agl",
)
"""Cyrillic and Greek ones, and the small capitals of phonetic writing."""

DIGITS = ("0134578", "oieastb"), ("0134578", "oleastb")
"""Digits, and the letters that they are written for; a 1 is read both ways."""

SPELLED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"}
)
"""Latin letters that have no accent to be left out, and what is written for them without it."""

BOXED = str.maketrans(
    {start + n: chr(ord("a") + n) for start in (0x1F150, 0x1F170) for n in range(26)}
)
"""White letters in black circles and squares, which Unicode's compatibility forms leave as is."""
