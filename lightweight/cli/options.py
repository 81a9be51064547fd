"""What several commands read out of their options alike."""

from collections.abc import Collection

import click

from lightweight.config.units import parse_duration

SECRETS_USED = ("keys", "database")
"""Whose secrets commands use: a provider's may exist only inside the service."""


def seconds(option: str, text: str) -> float:
    """Give the seconds of a duration such as ``30d``. Raises ClickException."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.ClickException(f"{option} {error}.") from error


def check_tier(tier: str, tiers: Collection[str]) -> None:
    """Raise ClickException for a tier that the configuration does not have."""
    if tier not in tiers:
        raise click.ClickException(
            f'There is no tier "{tier}": the configuration has '
            f"{', '.join(sorted(tiers))}."
        )
