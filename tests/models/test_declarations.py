"""CAMCORE_MODELS: both forms say the same, what is written is read back, and every mistake is told by its name."""

from pathlib import Path

import pytest

import camcore
from camcore.errors import ModelError
from camcore.models import declarations
from camcore.models.declarations import VARIABLE, Declaration, declared, name_for, parse, written


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_functions_and_files_in_one_line(folder):
    told = parse("birds=my_models:birds, cars = nets/cars.keras ,\nold=old.h5,")
    assert told.problems == ()
    assert told.networks == (
        Declaration("birds", function="my_models:birds"),
        Declaration("cars", file=folder / "nets" / "cars.keras"),
        Declaration("old", file=folder / "old.h5"),
    )


def test_json_takes_every_path_and_says_more(folder):
    told = parse(
        '{"birds": "my_models:birds", "cars": {"file": "a, b=c/my cars.keras", "labels": "cars, all.txt", '
        '"preprocess": "tf", "framing": "letterbox", "custom": "my.layers", "unsafe": true}}'
    )
    assert told.problems == ()
    assert told.networks == (
        Declaration("birds", function="my_models:birds"),
        Declaration(
            "cars",
            file=folder / "a, b=c" / "my cars.keras",
            labels=folder / "cars, all.txt",
            preprocess="tf",
            framing="letterbox",
            custom="my.layers",
            unsafe=True,
        ),
    )


def test_what_is_written_is_read_back_as_it_was():
    networks = (
        Declaration("birds", function="my_models:birds"),
        Declaration("cars", file=Path("/a, b/ç=d.keras"), labels=("a, b", "c"), preprocess="torch", framing="crop"),
        Declaration("old", file=Path("/old.h5"), labels=Path("/l.txt"), custom="layers", unsafe=True),
    )
    assert parse(written(networks)) == declarations.Declared(networks)
    assert parse(written(())) == declarations.Declared()


def test_the_variable_comes_before_the_secrets_which_may_be_a_table(folder, monkeypatch):
    assert declared().networks == ()
    path = folder / ".streamlit" / "secrets.toml"
    path.parent.mkdir()
    path.write_text('CAMCORE_MODELS = "mine=own:flat"')
    assert [one.name for one in declared().networks] == ["mine"]
    path.write_text('[CAMCORE_MODELS]\nmine = "own:flat"\n[CAMCORE_MODELS.cars]\nfile = "cars.keras"\nframing = "crop"')
    assert declared().networks == (
        Declaration("mine", function="own:flat"),
        Declaration("cars", file=folder / "cars.keras", framing="crop"),
    )
    monkeypatch.setenv(VARIABLE, "third=own:flat")
    assert [one.name for one in declared().networks] == ["third"]
    monkeypatch.delenv(VARIABLE)
    for text, said in (("CAMCORE_MODELS = 7", "it must be a text"), ("CAMCORE_MODELS = mine", "cannot be read")):
        path.write_text(text)
        assert declared().networks == ()
        assert said in declared().problems[0]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("mine", "'mine' is not of the form name=module:function or name=file.keras"),
        ("mine=own_models", "'mine=own_models' is not of the form"),
        ("mine=own_models:flat()", "is not of the form"),
        ("=own_models:flat", "cannot be called ''"),
        ("../up=own_models:flat", "cannot be called '../up'"),
        ("VGG16=own.keras", "cannot be called 'VGG16'"),
        ('{"mine": ', "begins like JSON and is none"),
        ('{"mine": 3}', "'mine=3' is not of the form"),
        ('{"mine": {"labels": "a.txt"}}', "neither a file nor a function"),
        ('{"mine": {"file": "a.keras", "function": "a:b"}}', "both a file and a function"),
        ('{"mine": {"file": ""}}', "an empty file"),
        ('{"mine": {"file": 3}}', "says file 3. It is a text"),
        ('{"mine": {"file": "a.keras", "lables": "a.txt"}}', "Did you mean 'labels'"),
        ('{"mine": {"file": "a.keras", "labels": [1, 2]}}', "says labels [1, 2]"),
        ('{"mine": {"file": "a.keras", "preprocess": "tff"}}', "'tff'"),
        ('{"mine": {"file": "a.keras", "framing": "corp"}}', "'crop'"),
        ('{"mine": {"file": "a.keras", "custom": "os; 1"}}', "no module's name"),
        ('{"mine": {"file": "a.keras", "unsafe": "false"}}', "true or false"),
        ('{"mine": {"function": "own:flat", "framing": "crop"}}', "beside a function"),
    ],
)
def test_a_wrong_declaration_is_told(told, said):
    (problem,) = parse(told).problems
    assert said in problem
    assert problem.startswith(VARIABLE)
    assert parse(told).networks == ()


@pytest.mark.parametrize("option", ["framing", "preprocess"])
def test_a_wrong_option_is_told_with_the_network_that_has_it(option):
    (problem,) = parse({"mine": {"file": "a.keras", option: "corp"}}).problems
    assert "'mine'" in problem
    assert "'corp'" in problem


def test_a_wrong_one_leaves_the_others_and_the_first_of_two_counts():
    told = parse("good=own:flat, bad, good=own:other")
    assert told.networks == (Declaration("good", function="own:flat"),)
    assert [("Another network is called 'good' already" in problem) for problem in told.problems] == [False, True]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("my_model.keras", "my_model"),
        ("My birds (2).keras", "My birds (2)"),
        ("VGG16.keras", "VGG16-2"),
        ("cars.h5", "cars-3"),
        ("größe: 5?.keras", "größe_ 5_"),
        ("-_.keras", "_"),
        ("….keras", "_"),
        ("a" * 200 + ".keras", "a" * 70),
    ],
)
def test_a_files_network_is_called_after_it(file, name):
    assert name_for(Path("/x") / file, ["VGG16", "cars", "cars-2"]) == name
    assert parse(written([Declaration(name, file=Path("/x") / file)])).problems == ()


def test_a_wrong_declaration_is_told_by_its_name_where_the_network_is_asked_for(folder, monkeypatch):
    monkeypatch.setenv(VARIABLE, '{"birds": {"file": "birds.keras", "preprocess": "tff"}}')
    with pytest.raises(ModelError, match=r"declares a network 'birds' that cannot be used.*'tff'"):
        camcore.load("birds")
