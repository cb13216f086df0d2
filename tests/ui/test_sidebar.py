"""Links from page to page: what is written is what the page that they lead to reads."""

from ui import sidebar
from ui.query import NetworkKey


def test_a_link_is_read_as_it_was_written() -> None:
    query = sidebar.query(NetworkKey("VGG16", "random"), "stretch", "coffee", layer=None, channel=3)
    named = [parameter for parameter in sidebar.parameters() if parameter.name in query]
    read = {parameter.name: parameter.read(query.pop(parameter.name)) for parameter in named}
    assert {name: value for name, (value, problem) in read.items() if problem is None} == {
        "sample": "coffee",
        "model": "VGG16",
        "random": "true",
        "framing": "stretch",
    }
    assert query == {"channel": "3"}


def test_a_link_without_a_sample() -> None:
    assert sidebar.query(NetworkKey("VGG16"), "crop", None) == {"model": "VGG16"}
    own = NetworkKey("mine", framing="stretch")
    assert sidebar.query(own, "crop", None) == {"model": "mine", "framing": "crop"}
