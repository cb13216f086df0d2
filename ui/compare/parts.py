"""The questions beneath the maps of the Compare page, in tabs of which only the open one is worked on."""

from ui.urls import Parameter

AGREE, TRUST, CONTRAST, COST = PARTS = (
    "Do the maps agree?",
    "Which can you trust?",
    "Why this class and not another?",
    "What does each method cost?",
)
PART = Parameter("question", "question", AGREE, PARTS, bound=True)
