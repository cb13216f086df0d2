"""The server's process: what Streamlit does after every script run must not reach TensorFlow."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = """
from ui.networks import import_tensorflow
import_tensorflow()
from keras.src.backend.common import global_state
from streamlit.runtime.scriptrunner.script_runner import _clean_problem_modules
global_state.set_global_attribute("kept", 1)
_clean_problem_modules()
assert global_state.get_global_attribute("kept") == 1, "Keras's session was cleared under the work that goes on"
"""


def test_the_end_of_a_script_run_clears_no_keras_session() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
