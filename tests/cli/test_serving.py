"""Where the app listens: as asked, as the user's own configuration says, and else on this machine alone."""

import os
import socket

import pytest

from camcore.cli import serving
from camcore.cli.serving import Address, PortTakenError, address
from camcore.errors import CamcoreError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder and an empty home, without any configuration of Streamlit."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in [name for name in os.environ if name.startswith("STREAMLIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ports(monkeypatch):
    """Four neighbouring ports that are free, as those to look through."""
    for first in range(20000, 60000, 7):
        try:
            for port in range(first, first + 4):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", port))
        except OSError:
            continue
        monkeypatch.setattr(serving, "PORT", first)
        monkeypatch.setattr(serving, "PORTS", 4)
        return range(first, first + 4)
    raise AssertionError("no free ports")


def taken(port):
    one = socket.socket()
    one.bind(("127.0.0.1", port))
    one.listen()
    return one


def configure(folder, text):
    (folder / ".streamlit").mkdir(parents=True, exist_ok=True)
    (folder / ".streamlit" / "config.toml").write_text(text)


def test_the_next_free_port_of_this_machine_alone(ports):
    assert address(None, None) == Address("127.0.0.1", ports[0])
    with taken(ports[0]), taken(ports[1]):
        assert address(None, None) == Address("127.0.0.1", ports[2])
        with taken(ports[2]), taken(ports[3]), pytest.raises(PortTakenError, match=f"port {ports[3]}: another program"):
            address(None, None)


def test_a_port_that_was_asked_for_is_not_exchanged(ports):
    assert address(None, ports[1]) == Address("127.0.0.1", ports[1])
    with taken(ports[1]), pytest.raises(PortTakenError, match="leave --port away for a free one"):
        address(None, ports[1])


def test_an_own_configuration_counts_nearest_first(folder, ports, monkeypatch):
    configure(folder / "home", f'[server]\nport = {ports[0]}\naddress = "0.0.0.0"\nbaseUrlPath = "/cam/"')
    assert address(None, None) == Address("0.0.0.0", ports[0], "cam")
    configure(folder, f"[server]\nport = {ports[1]}")
    assert address(None, None) == Address("0.0.0.0", ports[1], "cam")
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", str(ports[2]))
    monkeypatch.setenv("STREAMLIT_SERVER_BASE_URL_PATH", "other")
    assert address(None, None) == Address("0.0.0.0", ports[2], "other")
    assert address("127.0.0.1", ports[3]) == Address("127.0.0.1", ports[3], "other")
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", "many")
    with pytest.raises(CamcoreError, match="port 'many', from your configuration"):
        address(None, None)


def test_a_configuration_that_cannot_be_read_is_left_to_streamlit(folder, ports):
    configure(folder, "[server\nport = 1")
    assert address(None, None).port == ports[0]


@pytest.mark.parametrize(
    ("where", "url"),
    [
        (Address("127.0.0.1", 8501), "http://127.0.0.1:8501/?model=my+model%2C+2"),
        (Address("0.0.0.0", 80, "cam"), "http://localhost:80/cam/?model=my+model%2C+2"),
        (Address("::1", 8501, secure=True), "https://[::1]:8501/?model=my+model%2C+2"),
        (Address("::", 8501), "http://localhost:8501/?model=my+model%2C+2"),
    ],
)
def test_the_address_for_a_browser_on_this_machine(where, url):
    assert where.url(model="my model, 2") == url


def test_the_app_is_found_beside_camcore():
    found = serving.script()
    assert found.name == "app.py"
    assert (found.parent / ".streamlit" / "config.toml").is_file()
