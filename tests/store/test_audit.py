from lightweight.store.audit import audit_log, note
from lightweight.store.connect import Connection


def test_the_log_is_read_backwards_in_pages(connection: Connection) -> None:
    for number in range(5):
        subject = f"key_{number % 2}"
        note(connection, number, "cli", "key.revoke", subject, grace=1.5, name=None)
    first = audit_log(connection, most=2)
    assert [entry.at for entry in first] == [4, 3]
    assert first[0].details == {"grace": 1.5, "name": None}
    rest = audit_log(connection, before=first[-1].id, most=9)
    assert [entry.at for entry in rest] == [2, 1, 0]
    about = audit_log(connection, subject="key_1")
    assert [entry.at for entry in about] == [3, 1]
    assert audit_log(connection, subject="\0") == []
