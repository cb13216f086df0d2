"""ImageNet's class names, and labels files: each form that the field uses gives the same names, the rest is refused."""

import json

import pytest
from shared_data import shared

from camcore.errors import ModelError
from camcore.models.labels import imagenet_labels, read_labels

NAMES = ("cat", "dog", "guinea pig")

FORMS = {
    "text": "cat\ndog\nguinea pig\n",
    "text with a mark and Windows' lines": "\ufeffcat\r\ndog\r\nguinea pig\r\n\r\n",
    "list": json.dumps(NAMES),
    "by index": '{"1": "dog", "0": "cat", "2": "guinea pig"}',
    "class_indices": '{"guinea pig": 2, "cat": 0, "dog": 1}',
    "ImageNet's class index": '{"0": ["n1", "cat"], "1": ["n2", "dog"], "2": ["n3", "guinea pig"]}',
    "id2label": '{"model": "x", "id2label": {"0": "cat", "1": "dog", "2": "guinea pig"}}',
    "class_names": '{"class_names": ["cat", "dog", "guinea pig"]}',
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_names(form, tmp_path):
    assert read_labels(FORMS[form].encode(), 3) == NAMES
    path = tmp_path / "labels"
    path.write_bytes(FORMS[form].encode())
    assert read_labels(path) == NAMES


def test_names_beyond_ascii_stay():
    assert read_labels("Käfer\n犬\n".encode()) == ("Käfer", "犬")


def test_the_index_of_imagenet_as_it_is_published():
    assert read_labels(shared("imagenet_class_index.json"), 1000) == imagenet_labels()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it names 0 classes"),
        (b"cat\n", "it names 1 classes"),
        (b"cat\n\ndog\n", "the name of class 1 is empty"),
        (b"cat\n" + b"d" * 201, "class 1 is longer than 200 letters"),
        (b"\x89HDF\r\n\x1a\n\0", "it is no text in UTF-8"),
        (b"cat\0\ndog", "bytes of zero"),
        (b'["cat", "dog"', "it begins as JSON does, and is none"),
        (b"[" * 100_000, "it begins as JSON does, and is none"),
        (b'["cat", 7]', "of class 1 is '7', no name"),
        (b'{"0": "cat", "2": "dog"}', "none has the index 1"),
        (b'{"cat": 0, "dog": 0}', "two of its names have the same index"),
        (b'{"cat": "x", "dog": "y"}', "its key 'cat' is no index"),
        (b'{"cat": true, "dog": false}', "its key 'cat' is no index"),
    ],
)
def test_what_is_no_labels_file_is_told(data, said):
    with pytest.raises(ModelError, match="cannot be used") as caught:
        read_labels(data)
    assert said in str(caught.value)
    assert "one name a line, or JSON" in str(caught.value)


def test_a_wrong_number_is_told_with_both_numbers_and_both_ends():
    with pytest.raises(ModelError, match=r"names 3 classes, from 'cat' to 'guinea pig'; the network has 1,000"):
        read_labels(FORMS["text"].encode(), 1000)
    with pytest.raises(ModelError, match="one sigmoid unit tells two apart, the negative one first"):
        read_labels(FORMS["text"].encode(), 2)


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(ModelError, match="No such file"):
        read_labels(tmp_path / "none.txt")
    with pytest.raises(ModelError, match="Is a directory"):
        read_labels(tmp_path)
    with pytest.raises(ModelError, match="cannot be read"):
        read_labels("a\0b")
    (tmp_path / "large.txt").write_bytes(b"a\n" * (3 << 20))
    with pytest.raises(ModelError, match="6,291,456 bytes"):
        read_labels(tmp_path / "large.txt")


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
