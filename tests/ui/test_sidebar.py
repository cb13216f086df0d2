"""Links from page to page: what is written is what the page that they lead to reads."""

from ui.query import NetworkKey

from ui import sidebar


def test_a_link_is_read_as_it_was_written() -> None:
    query = sidebar.query(NetworkKey("VGG16", "random"), "stretch", "coffee", layer=None, channel=3)
    read = {parameter.name: parameter.read(query.pop(parameter.name)) for parameter in sidebar.parameters()}
    assert {name: value for name, (value, problem) in read.items() if problem is None} == {
        "sample": "coffee",
        "model": "VGG16",
        "random": "true",
        "framing": "stretch",
    }
    assert query == {"channel": "3"}


def test_a_picture_of_ones_own_has_no_name_in_a_link() -> None:
    assert sidebar.query(NetworkKey("VGG16"), "crop", None) == {"model": "VGG16"}
    own = NetworkKey("mine", framing="stretch")
    assert sidebar.query(own, "crop", None) == {"model": "mine", "framing": "crop"}
