from sqlalchemy import select
from support.people import NOW, somebody

from lightweight.store.connect import Connection
from lightweight.store.pages import Place, paged
from lightweight.store.schema import people


def test_pages_meet_without_gap_or_overlap(connection: Connection) -> None:
    """Also where many things have one time, and while others are added."""
    for number in range(7):
        somebody(connection, f"p{number}", now=NOW + number // 3)
    seen: list[str] = []
    after: Place | None = None
    while True:
        query = paged(
            select(people), people.c.created_at, people.c.id, after=after, most=2
        )
        rows = connection.execute(query).all()
        if not rows:
            break
        seen += [row.id for row in rows]
        after = Place(rows[-1].created_at, rows[-1].id)
        somebody(connection, f"q{len(seen)}", now=NOW + 100)
    assert seen == [f"person_p{number}" for number in reversed(range(7))]
