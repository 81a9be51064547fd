"""Make ``twistd lightweight`` known to Twisted.

Every ``twistd`` run on the machine imports this file, so it imports nothing of ours.
"""

from twisted.application.service import ServiceMaker

lightweight = ServiceMaker(
    "Lightweight",
    "lightweight.tap",
    "A self-hosted, OpenAI-compatible AI gateway.",
    "lightweight",
)
