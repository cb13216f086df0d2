"""Arrays in, pictures out: colours, overlays and files. No network, no state.

The functions of colour.py are reached through that module, whose name one of them shares.
"""

from camcore.render.encode import to_data_url, to_jpeg, to_png, with_caption
from camcore.render.overlay import UNSEEN, blend, spotlight

__all__ = ["UNSEEN", "blend", "spotlight", "to_data_url", "to_jpeg", "to_png", "with_caption"]
