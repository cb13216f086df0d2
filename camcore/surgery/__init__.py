"""Architecture surgery: a backbone's fully connected head is cut off, and a global average with a linear head grows.

That makes CAM exact: the mean of the map, plus the bias, is the logit. The trunk stays as it was, so a head is
learned in seconds from features that are computed once.

    net = camcore.surgery.operate("MobileNetV2", ["cat", "dog"])           # the head knows nothing yet
    for event in camcore.surgery.train_head("MobileNetV2", data, "out/"):  # log, checkpoints, network into out/
        ...
"""

from camcore.surgery.operating import operate as operate
from camcore.surgery.training import HeadRecipe as HeadRecipe
from camcore.surgery.training import train_head as train_head
