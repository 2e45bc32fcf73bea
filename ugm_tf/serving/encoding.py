"""Pictures in a graph: PNG and JPEG files to numbers, and back."""

import tensorflow as tf

from ugm_tf.serving.questions import Image

__all__ = ["from_bytes", "from_uint8", "to_bytes", "to_uint8"]

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


def from_uint8(pixels: tf.Tensor, image: Image) -> tf.Tensor:
    """Whole numbers from 0 to 255, [B, H, W, C], as a model has them."""
    return image.least + tf.cast(pixels, tf.float32) * ((image.most - image.least) / 255.0)


def to_uint8(values: tf.Tensor, image: Image) -> tf.Tensor:
    """A model's pictures, [B, H, W, C], as whole numbers; what lies outside of its range is cut, and NaN is 0."""
    scaled = tf.round((values - image.least) * (255.0 / (image.most - image.least)))
    return tf.cast(tf.where(tf.math.is_nan(scaled), 0.0, tf.clip_by_value(scaled, 0.0, 255.0)), tf.uint8)


def to_bytes(values: tf.Tensor, ok: tf.Tensor, image: Image) -> tf.Tensor:
    """A model's pictures as PNG files, string [B]; empty where there is none."""
    return tf.where(ok, tf.io.encode_png(to_uint8(values, image)), b"")


def from_bytes(files: tf.Tensor, image: Image, most: int) -> tf.Tensor:
    """PNG and JPEG files as a model has pictures, float32 [B, H, W, C].

    A file that is neither, of another size, broken or transparent in part is NaN, and its neighbours are not:
    TensorFlow's decoders end a call with an error, which a data set can leave out.  The size is read in the file's
    header, so none is decoded that is of another one, however large.

    Args:
        files: string [B].
        image: What the model takes.  Colours become grey and grey colours, and 16 bits 8.
        most: The most rows.
    """
    height, width, channels = image.shape

    def decoded(row: tf.Tensor, file: tf.Tensor, png: tf.Tensor, jpeg: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.control_dependencies([tf.debugging.Assert(png | jpeg, ["neither PNG nor JPEG"])]):
            size = tf.cond(png, lambda: tf.constant([height, width]), lambda: tf.io.extract_jpeg_shape(file)[:2])
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(size == [height, width]), ["its size"])]):
            pixels = tf.cond(
                png,
                lambda: _opaque(tf.identity(file), channels),
                lambda: tf.io.decode_jpeg(tf.identity(file), channels),
            )
        return row, tf.ensure_shape(pixels, image.shape)

    rows = tf.shape(files)[0]
    start = b"%s\0\0\0\rIHDR%s" % (_PNG, width.to_bytes(4, "big") + height.to_bytes(4, "big"))
    parts = (tf.range(rows), files, _begins(files, start), _begins(files, _JPEG))
    found = tf.data.Dataset.from_tensor_slices(parts).map(decoded).ignore_errors()
    end = tf.data.Dataset.from_tensors((rows, tf.zeros(image.shape, tf.uint8)))  # so that there is one picture
    options = tf.data.Options()
    options.autotune.enabled = options.experimental_optimization.apply_default_optimizations = False  # they take longer
    options.threading.max_intra_op_parallelism = 1
    places, pixels = found.concatenate(end).batch(most + 1).with_options(options).get_single_element()
    places = places[:, tf.newaxis]
    there = tf.scatter_nd(places, tf.ones_like(places[:, 0]), [rows + 1])[:rows] > 0
    values = tf.scatter_nd(places, from_uint8(pixels, image), [rows + 1, *image.shape])[:rows]
    return tf.where(tf.reshape(there, [-1, 1, 1, 1]), values, float("nan"))


def _opaque(file: tf.Tensor, channels: int) -> tf.Tensor:
    """A PNG file, uint8 [H, W, C], or an error where something shows through: a model's data lay on a background."""
    pixels = tf.io.decode_png(file, 4)
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(pixels[..., 3] == 255), ["transparent"])]):
        return pixels[..., :3] if channels == 3 else tf.io.decode_png(tf.identity(file), channels)


def _begins(files: tf.Tensor, start: bytes) -> tf.Tensor:
    """Which files begin so."""
    return tf.strings.substr(files, 0, len(start)) == start
