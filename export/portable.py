"""Converts an export for runtimes other than TensorFlow, and compares each signature with the SavedModel.

  python -m export.portable models/digits/1 --to=onnx --output=portable

writes portable/encode.onnx, portable/decode.onnx, ..., one file a signature, and has a line for each; of one that
cannot be converted it says why.  --to=litert and --to=openvino are the others; each is an extra, such as
pip install 'ugm_tf[onnx]'.  What draws by a seed is converted with its noise as an input: export it with
--variants=noise.  Exit status 1 says that none could be converted, and 2 that there is nothing to convert.
"""

import argparse
import os
import sys
from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from ugm_tf.serving import RUNTIMES, convert


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", help="A version directory, as export.export writes it.")
    parser.add_argument("--to", required=True, choices=list(RUNTIMES), help="The runtime.")
    parser.add_argument("--output", default="portable", help="Where the files go.")
    parser.add_argument("--signatures", help="Which, such as encode,decode; by default all.")
    asked = parser.parse_args(argv)
    names = None if asked.signatures is None else asked.signatures.split(",")
    try:
        found = convert(asked.version, asked.to, asked.output, names)
    except (ValueError, ImportError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    for made in found:
        print(f"{made.name}: {made.path}, {made.message}" if made.path else f"{made.name}: none. It {made.message}")
    sys.exit(int(not any(made.path for made in found)))


if __name__ == "__main__":
    main()
