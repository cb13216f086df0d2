"""The forms of methods: every one can be asked for, and is named."""

import camcore
from ui import methods


def test_forms_name_each_method_and_each_further_variant_once() -> None:
    forms = methods.forms()
    assert len(set(forms)) == len(forms)
    named = {(methods.key_of(form), *methods.options_of(form).get(methods.key_of(form), {}).values()) for form in forms}
    wanted = {(key,) for key in camcore.METHODS}
    wanted |= {(key, name) for key, info in camcore.METHODS.items() for name in info.variants[1:]}
    assert named == wanted


def test_options_are_those_that_the_core_takes() -> None:
    for form in methods.forms():
        for key, options in methods.options_of(form).items():
            assert camcore.METHODS[key].checked(options)["variant"] == form.partition(":")[2]


def test_titles_are_all_different() -> None:
    titles = [methods.title(form) for form in methods.forms()]
    assert len(set(titles)) == len(titles)
    assert methods.title("gradcam++:authors") == "Grad-CAM++, authors"
    assert methods.title("random").endswith("(control)")


def test_what_is_not_defined_is_not_offered() -> None:
    refused = {"cam": "why", "gradcam++": "why"}
    forms = methods.forms(refused)
    assert {methods.key_of(form) for form in forms} == set(camcore.METHODS) - set(refused)
    everything = methods.keys()
    assert methods.keys(refused) == [key for key in everything if key not in refused]


def test_those_to_try_first_stand_first_with_a_star_and_each_family_stays_together() -> None:
    keys = methods.keys()
    first = keys[: len(methods.COMPARED)]
    assert set(first) == set(methods.COMPARED)
    assert keys[0] == "gradcam"
    assert [key for key in keys if methods.in_family(key).startswith("★")] == first
    families = [camcore.METHODS[key].family for key in keys[len(first) :]]
    assert families == sorted(families, key=families.index), "each family in one piece"
