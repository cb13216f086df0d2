"""Pictures of uploaded bytes, decoded once for as long as they are in use."""

import hashlib

import camcore
from camcore.cache import ByteLRU

_open: ByteLRU[camcore.Picture] = ByteLRU(384 << 20, lambda picture: picture.rgb.nbytes)


def opened(data: bytes) -> camcore.Picture:
    """The picture in these bytes. Raises PictureError where there is none that can be used."""
    key = hashlib.sha256(data).hexdigest()
    return _open.get(key) or _open.put(key, camcore.open_picture(data))
