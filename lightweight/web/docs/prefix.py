"""What stands for a visitor's key in /docs: its first characters, for who is signed in.

The rest of a key is nowhere: it is stored as a digest.
"""

from lightweight.errors import Overloaded
from lightweight.records import ApiKey
from lightweight.store.api_keys import key_page, state_of_key
from lightweight.store.connect import Connection
from lightweight.web.docs.guides import BLANKS, SAMPLE_KEY
from lightweight.web.office import Office, told_as_faults
from lightweight.web.sessions import door_of, signed_in
from lightweight.web.site_request import GatewayRequest

LOOKED_AT = 50
"""An account's newest keys, of which the first that works is meant."""


async def key_for_docs(request: GatewayRequest, office: Office) -> str:
    """Give what stands for the key of who asks. Cancelling is harmless."""
    runtime = office.current()
    door = door_of(request, runtime.config.public_url)
    try:
        signed = await signed_in(request.fields(), door, office)
        account_id = None if signed is None else signed.person.account_id
        if account_id is None:
            return SAMPLE_KEY
        with told_as_faults():
            return await office.database.read(
                lambda c: example_key(c, account_id, office.wall())
            )
    except Overloaded:
        # The pages are there without a database.
        return SAMPLE_KEY


def example_key(connection: Connection, account_id: str, now: float) -> str:
    """Give what stands for a key of an account."""
    for key in key_page(connection, account_id=account_id, most=LOOKED_AT):
        if state_of_key(key, now) == "active":
            return _begun(key)
    return SAMPLE_KEY


def _begun(key: ApiKey) -> str:
    begun = f"{key.shown.partition('…')[0]}-and-the-rest-of-your-key"
    return begun if BLANKS["key"].fullmatch(begun) else SAMPLE_KEY
