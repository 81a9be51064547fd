"""The playground: its script streams through the public API with a key of the visitor.

Keys are stored as digests, so a key has to be pasted, or made for an hour.
"""

from lightweight.records import Answer
from lightweight.store.accounts import account_page
from lightweight.web.dashboard.asked import Asked
from lightweight.web.dashboard.keys import SHOWN, make
from lightweight.web.dashboard.views import MadeKey, PlaygroundView

HOUR_S = 3600.0


async def show_playground(asked: Asked, made: MadeKey | None = None) -> Answer:
    """Show the playground."""
    accounts = await asked.read(
        lambda c: account_page(c, account_id=asked.actor.scope, most=SHOWN)
    )
    view = PlaygroundView(
        models=asked.backstage.office.current().offering.listed(),
        base_url=asked.base_url,
        accounts=accounts,
        chosen=asked.query("model") or asked.field("model"),
        made=made,
    )
    return asked.page("playground", view)


async def make_play_key(asked: Asked) -> Answer:
    """Make a key that lives for an hour."""
    made = await make(asked, name="playground", life=HOUR_S)
    return await show_playground(asked.done("This key works for an hour."), made)
