"""The ways to add a network: a weights file, training, a whole model's file, a Python function, or keras_hub."""

import streamlit as st

from camcore.models import factories
from camcore.models.catalogue import backbones
from ui import controls, policy, words
from ui.models import hub_view, weights_view
from ui.models.view import WAYS

_EXAMPLE = """\
# my_models.py, in the folder where the app is started (or on PYTHONPATH)
import keras

def birds():
    model = build_it()                   # any Keras 3 image classifier
    model.load_weights("birds.weights.h5")
    return {
        "model": model,
        "labels": "birds.txt",           # a list, or a labels file; one name a class
        "preprocess": "torch",           # tf, unit, raw, torch, caffe, or a function of RGB 0..255
        "framing": "crop",               # stretch (the usual), crop, centre or letterbox
        "input_size": (224, 224),        # needed only where the model leaves it open
    }
"""
_START = 'CAMCORE_MODELS="birds=my_models:birds" streamlit run app.py'
_FILES = """\
camcore app birds.keras                                          # of Keras 3 or 2, .keras or .h5
camcore app birds.keras --labels birds.txt --preprocess tf --framing crop
CAMCORE_MODELS="birds=birds.keras, cars=cars.h5" streamlit run app.py
camcore explain photo.jpg --model birds.keras                    # without the app\
"""


def show() -> None:
    """The section: the choice of a way, and what it needs."""
    st.subheader("Bring a network of your own", anchor="own")
    ways = WAYS if policy.policy().changes else WAYS[:2]
    way = controls.segments("How", ways, "way")
    if way == WAYS[1]:
        _training()
    elif way == WAYS[2]:
        _whole()
    elif way == WAYS[3]:
        _python()
    elif way == WAYS[4]:
        hub_view.show()
    else:
        weights_view.show()


def _training() -> None:
    st.markdown(
        "Give the **Train** page a folder of pictures: a new head on any backbone takes a minute, a network from "
        "nothing longer. What comes of it is in the list above, and in every page’s list of backbones. "
        "The same from a terminal: `python -m camcore train pictures/ --out mine/ --backbone MobileNetV2`."
    )
    st.page_link("pages/train.py", label="Train a network", icon=":material/model_training:")


def _whole() -> None:
    st.markdown(
        "For those who run this app themselves: name the file that `model.save('birds.keras')` wrote when the app is "
        "started. A browser cannot upload one, for opening a whole model can run code that is hidden in it."
    )
    st.code(_FILES, language="bash", wrap_lines=True)
    st.markdown(
        "It is fed as `model.predict` would be: the whole picture, RGB 0..255, and untouched where it has the input’s "
        "size. If the model was trained on pictures that were scaled outside of it, say how with `--preprocess`, or "
        "choose it in the list above after *Make and check it*. Classes are named by `birds.labels.txt` or `birds.txt` "
        "beside the file. A model with `Lambda` layers needs `--unsafe`, one with classes of its own `--custom module`."
    )
    _declared()


def _python() -> None:
    st.markdown(
        "For those who run this app themselves. A function that takes no argument and returns a Keras model, or a "
        "mapping with `model` and whatever of `labels`, `preprocess`, `framing`, `input_size` and `output` is known:"
    )
    with st.container(key="cam_example"):
        st.code(_EXAMPLE, language="python")
    st.markdown(
        f"Name it in the environment variable `{factories.VARIABLE}`, or under the same name in "
        "`.streamlit/secrets.toml`; several with commas between. The module is imported when somebody looks into the "
        "network, not before; if it fails, the other networks are not touched by it."
    )
    st.code(_START, language="bash", wrap_lines=True)
    _declared()


def _declared() -> None:
    declared = factories.factories()
    if declared:
        listed = ", ".join(f"{one.name} ({one.target})" for one in declared)
        st.caption(words.plain(f"Declared now: {listed}."))
    else:
        st.caption(f"None is declared now. The {len(backbones())} of the catalogue need no declaration.")
