"""What the store cannot do, in words for the operator."""


class StoreProblem(Exception):
    """Base of all of them; its text is one sentence that says what to do."""


class StoreUnusable(StoreProblem):
    """The database did not do its work: locked, full, damaged, out of reach."""
