"""What Python TensorFlow computes with a SavedModel: `savedModel.py FOLDER BATCH`, pixels as float32 on standard input, JSON out."""

import json
import sys

import numpy as np
import tensorflow as tf

folder, batch = sys.argv[1], int(sys.argv[2])
model = tf.saved_model.load(folder)
serve = model.signatures["serving_default"]
(shape,) = [spec.shape for name, spec in serve.structured_input_signature[1].items() if name == "images"]
pixels = np.frombuffer(sys.stdin.buffer.read(), np.float32).reshape([batch, *shape[1:]])
results = serve(images=tf.constant(pixels))
print(json.dumps({"shape": shape.as_list(), **{name: value.numpy().tolist() for name, value in results.items()}}))
