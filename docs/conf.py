"""How the operator's manual becomes pages and man pages."""

from importlib.metadata import version as installed

project = "Lightweight"
author = "The Lightweight authors"
release = version = installed("lightweight-gateway")

extensions = ["myst_parser", "sphinx_click"]
exclude_patterns = ["_build", "images"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "Lightweight"
html_logo = "images/lightweight.svg"
html_show_sourcelink = False
html_show_copyright = False

man_pages = [
    ("man/lightweight", "lightweight", "run an AI gateway", author, 1),
    (
        "man/lightweight.toml",
        "lightweight.toml",
        "configuration of the AI gateway",
        author,
        5,
    ),
]
