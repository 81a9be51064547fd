"""What somebody changes about their own sign-in."""

from lightweight.records import Answer
from lightweight.store.people import has_password
from lightweight.web.dashboard.asked import THEME_COOKIE, THEMES, Asked, see_other
from lightweight.web.dashboard.views import MeView
from lightweight.web.sessions import (
    change_password,
    no_cookie,
    session_cookie,
    sign_out,
)


async def show_me(asked: Asked) -> Answer:
    """Show who is signed in."""
    if asked.query("changed"):
        asked = asked.done("The password is changed; every other session ended.")
    person = asked.signed.person
    has = await asked.read(lambda c: has_password(c, person.id))
    return asked.page("me", MeView(has_password=has))


async def new_password(asked: Asked) -> Answer:
    """Set another password; every other session ends, this one goes on."""
    signed = await change_password(
        asked.signed,
        asked.secret("old"),
        asked.secret("new"),
        headers=asked.request.headers,
        door=asked.door,
        office=asked.backstage.office,
    )
    return see_other(
        "/dashboard/me?changed=1", cookies=[session_cookie(asked.door, signed.secret)]
    )


async def leave(asked: Asked) -> Answer:
    """Sign out."""
    await sign_out(asked.signed, asked.backstage.office)
    return see_other("/dashboard/sign-in", cookies=[no_cookie(asked.door)])


async def choose_theme(asked: Asked) -> Answer:
    """Remember which theme the visitor wants, on this browser."""
    theme = asked.field("theme")
    if theme not in THEMES:
        theme = "auto"
    cookie = (
        f"{THEME_COOKIE}={theme}; Path=/dashboard; Max-Age=31536000; "
        "HttpOnly; SameSite=Lax"
    )
    return see_other("/dashboard/", cookies=[cookie])
