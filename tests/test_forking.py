"""A process that was forked after TensorFlow had started says so at once; others work."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

CODE = """
import multiprocessing, os, sys
import numpy as np
import camcore

PIXELS = np.zeros((9, 9, 3), np.uint8)

def model():
    import keras
    x = keras.Input((8, 8, 3))
    y = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 3)(x))
    return keras.Model(x, keras.layers.Dense(2)(y))

def tell(work, queue):
    try:
        queue.put(f"gave {type(work()).__name__}")
    except camcore.CamcoreError as error:
        queue.put(f"{type(error).__name__}: {error}")

def child(work):
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=tell, args=(work, queue))
    process.start()
    process.join(60)
    if process.is_alive():
        process.kill()
        print("hangs", flush=True)
    else:
        print(queue.get(), flush=True)

import tensorflow, keras  # imported only: it has no threads yet
child(lambda: camcore.wrap(model()))
known = model()
child(lambda: camcore.wrap(known))
net = camcore.wrap(known)
pic = camcore.Picture.from_array(PIXELS)
child(lambda: camcore.explain(net, pic))
child(lambda: net.logits(np.zeros((1, 8, 8, 3))))
child(lambda: camcore.load("cats_vs_dogs"))
child(lambda: camcore.GradCAM(known))
print(f"gave {type(camcore.explain(net, pic)).__name__}")  # the parent goes on
"""


def test_a_forked_process_says_so_in_time():
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    told = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, timeout=400, check=True
    ).stdout.splitlines()
    assert told[0] == "gave Network"
    assert told[-1] == "gave tuple"
    assert len(told) == 7
    for line in told[1:-1]:
        assert line.startswith("CamcoreError: This process was forked after TensorFlow had started")
        assert "multiprocessing.get_context('spawn')" in line
