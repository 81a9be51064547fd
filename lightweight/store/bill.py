"""The bill as the reactor sees it."""

from collections.abc import Sequence
from datetime import date

from lightweight.records import DayUse
from lightweight.store.database import Database
from lightweight.store.usage import day_uses_between


class Ledger:
    """The bill, seen from the reactor."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def day_uses(
        self, account_id: str, first: date, last: date
    ) -> Sequence[DayUse]:
        """Give what each key of an account used of each model, days in order.

        Raises StoreUnusable. Cancelling is harmless.
        """
        return await self._database.read(
            lambda connection: day_uses_between(connection, account_id, first, last)
        )
