"""Which file is the configuration."""

from pathlib import Path

from lightweight.config.named import config_path


def test_the_file_is_named_by_option_or_variable() -> None:
    environ = {"LIGHTWEIGHT_CONFIG": "/etc/b.toml"}

    assert config_path("/etc/a.toml", environ) == Path("/etc/a.toml")
    assert config_path(None, environ) == Path("/etc/b.toml")
    assert config_path(None, {}) is None
    assert config_path("c.toml", {}) == Path.cwd() / "c.toml"
