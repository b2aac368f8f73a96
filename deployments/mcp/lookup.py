"""The watch that an argument names."""

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.validation.stored import check_storable
from adspark.watches.stored import find_watch


async def find_watch_id(session: AsyncSession, written: str) -> int:
    """Its number.

    Raises:
        InvalidQueryError: there is none, or several have the name.
    """
    check_storable("watch", written)
    try:
        return (await find_watch(session, name_or_id=written)).id
    except InvalidQueryError as error:
        raise error.beside("watch") from None
    except ConfigurationError as error:
        raise InvalidQueryError("watch", error.sentence) from None
