"""What the Train page's form accepts, and the command line that it becomes."""

from dataclasses import replace

import pytest

from ui.training.form import Form, free_name, name_problem, problem, suggested_name

FORM = Form("/data/flowers", "flowers", ("daisy", "rose"))
USABLE = {"daisy": 20, "rose": 4, "rare": 3}


def test_what_is_not_said_is_not_passed_on() -> None:
    assert FORM.arguments() == ["/data/flowers", "--classes", "daisy", "rose"]
    assert replace(FORM, fine_tune=0, backbone="MobileNetV2").arguments() == [
        *("/data/flowers", "--backbone", "MobileNetV2", "--classes", "daisy", "rose")
    ]


def test_every_choice_is_passed_on() -> None:
    form = replace(FORM, backbone="VGG16", epochs=5, size=96, seed=0, fine_tune=2)
    assert " ".join(form.arguments()) == (
        "/data/flowers --backbone VGG16 --epochs 5 --size 96 --seed 0 --fine-tune 2 --classes daisy rose"
    )


def test_from_scratch_there_is_nothing_to_fine_tune() -> None:
    assert "--fine-tune" not in replace(FORM, fine_tune=2).arguments()


def test_a_whole_form_has_no_problem() -> None:
    assert problem(FORM, USABLE, ()) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": ""}, "folder"),
        ({"classes": ()}, "at least two"),
        ({"classes": ("rose",)}, "at least two"),
        ({"classes": ("rare", "rose")}, "“rare” has 3 pictures"),
        ({"classes": ("gone", "rose")}, "“gone” has 0 pictures"),
        ({"name": ""}, "name"),
    ],
)
def test_a_problem_is_told_in_words(changes: dict[str, object], said: str) -> None:
    told = problem(replace(FORM, **changes), USABLE, ())  # type: ignore[arg-type]
    assert told is not None
    assert said in told


@pytest.mark.parametrize("name", ["flowers", "Blumen 2", "fleurs-été_3", "x", "a.b"])
def test_names_that_will_do(name: str) -> None:
    assert name_problem(name, ()) is None


@pytest.mark.parametrize(
    "name", ["../x", "a/b", ".hidden", "a\\b", "end.", "end ", "x" * 51, "-x", "<b>", "a\nb", ".."]
)
def test_names_that_are_no_folder_names(name: str) -> None:
    assert "cannot be a folder's name" in str(name_problem(name, ()))


def test_a_name_that_is_taken_gets_another_one_offered() -> None:
    assert "such as “vgg16-2”" in str(name_problem("vgg16", ["VGG16"]))
    assert "is taken" in str(name_problem("new", ()))
    assert free_name("a", ["A", "a-2"]) == "a-3"


@pytest.mark.parametrize(
    ("data", "backbone", "name"),
    [
        ("", "scratch", ""),
        ("/", "scratch", ""),
        ("~", "scratch", ""),
        ("/data/flowers/", "scratch", "flowers"),
        ("/data/flowers/train", "scratch", "flowers"),
        ("/data", "scratch", "data"),
        ("C:\\data\\My flowers", "scratch", "My-flowers"),
        ("/data/flowers", "VGG16", "flowers-VGG16"),
        ("/data/<b>", "scratch", "b"),
        ("/data/花", "scratch", "花"),
        ("/data/!!", "scratch", "network"),
    ],
)
def test_a_name_is_suggested_that_would_be_accepted(data: str, backbone: str, name: str) -> None:
    assert suggested_name(data, backbone, ()) == name
    assert not name or name_problem(name, ()) is None
