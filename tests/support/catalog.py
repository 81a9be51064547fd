"""What the catalog that ships says, for tests of other rooms."""

from lightweight.catalog.load import load_catalog


def quirks_of_the_catalog() -> frozenset[str]:
    """Give the names of all quirks that are explained."""
    return frozenset(load_catalog().quirks)
