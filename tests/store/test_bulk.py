from sqlalchemy import event, select
from support.uses import NOON

from lightweight.store.bulk import insert_into, prepared, put
from lightweight.store.connect import Engine, writing
from lightweight.store.schema import journal_positions, last_used


def test_each_row_is_written_by_one_statement(engine: Engine) -> None:
    insert = insert_into(engine.dialect, journal_positions)
    renewing = prepared(
        engine.dialect,
        insert.on_conflict_do_update(
            index_elements=journal_positions.primary_key,
            set_={"position": insert.excluded.position},
        ),
    )
    # In another order than the columns', as only names say what is what.
    rows = [
        {"done": n > 1, "position": n * 10, "segment": n, "writer": f"w{n}"}
        for n in range(3)
    ]
    executed: list[bool] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _executed(*told: object) -> None:
        executed.append(bool(told[-1]))

    with writing(engine) as connection:
        executed.clear()
        put(connection, renewing, rows)
        put(connection, renewing, [{**rows[1], "position": 99}])
        put(connection, renewing, [])
        assert executed == [True, False]
        found = connection.execute(
            select(journal_positions).order_by(journal_positions.c.writer)
        ).all()
    assert [tuple(row) for row in found] == [
        ("w0", 0, 0, False),
        ("w1", 1, 99, False),
        ("w2", 2, 20, True),
    ]


def test_what_is_there_can_be_left_alone(engine: Engine) -> None:
    insert = insert_into(engine.dialect, last_used).on_conflict_do_nothing()
    once = prepared(engine.dialect, insert)
    with writing(engine) as connection:
        put(connection, once, [{"key_id": "k%1", "at": NOON}])
        put(connection, once, [{"key_id": "k%1", "at": 0.0}])
        found = connection.execute(select(last_used)).all()
    assert [tuple(row) for row in found] == [("k%1", NOON)]
