"""The class names against the file that Keras' decode_predictions reads."""

import json

from shared_data import shared

from camcore.models.labels import imagenet_labels


def test_imagenet_labels_are_those_of_decode_predictions():
    index = json.loads(shared("imagenet_class_index.json").read_text())
    assert imagenet_labels() == tuple(index[str(i)][1] for i in range(1000))


def test_imagenet_labels_known_places():
    labels = imagenet_labels()
    assert len(labels) == 1000
    assert labels[0] == "tench"
    assert labels[285] == "Egyptian_cat"
    assert labels[340] == "zebra"
    assert labels[999] == "toilet_tissue"
