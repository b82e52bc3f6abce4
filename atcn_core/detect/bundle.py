"""MediaPipe's model bundle made from its networks: metadata put into a TFLite file, files packed into a .task.

Bytes in, bytes out, the same on every machine; where the bytes come from and go to is `model.py`'s affair.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import flatbuffers
from flatbuffers.table import Table
from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata_fb
from mediapipe.tasks.metadata import schema_py_generated as tflite_fb

__all__ = ["attach_metadata", "landmark_metadata", "pack_task"]

METADATA_NAME = "TFLITE_METADATA"
METADATA_IDENTIFIER = b"M001"
TFLITE_IDENTIFIER = b"TFL3"
ALIGN_BYTES = 16
# Slots of TFLite's Model table, in its schema's order.
OPERATOR_CODES, SUBGRAPHS, DESCRIPTION, BUFFERS, METADATA, SIGNATURE_DEFS = 1, 2, 3, 4, 6, 7
# The kind of an alignment record in a zip member's extra field, as Android's zipalign writes it.
ZIP_ALIGN_RECORD = 0xD935
ZIP_HEADER_BYTES = 30


def landmark_metadata(outputs: int) -> bytes:
    """Metadata of the landmark network: one RGB picture scaled to 0..1 in, `outputs` plain tensors out."""
    scaling = metadata_fb.NormalizationOptionsT()
    scaling.mean, scaling.std = [0.0], [255.0]
    step = metadata_fb.ProcessUnitT()
    step.optionsType, step.options = metadata_fb.ProcessUnitOptions.NormalizationOptions, scaling
    picture = metadata_fb.ImagePropertiesT()
    picture.colorSpace = metadata_fb.ColorSpaceType.RGB
    image = _tensor("image", metadata_fb.ContentProperties.ImageProperties, picture)
    image.processUnits = [step]

    feature = metadata_fb.ContentProperties.FeatureProperties
    graph = metadata_fb.SubGraphMetadataT()
    graph.inputTensorMetadata = [image]
    graph.outputTensorMetadata = [
        _tensor(f"output_{i}", feature, metadata_fb.FeaturePropertiesT()) for i in range(outputs)
    ]
    model = metadata_fb.ModelMetadataT()
    model.subgraphMetadata, model.minParserVersion = [graph], "1.0.0"
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), METADATA_IDENTIFIER)
    return bytes(builder.Output())


def _tensor(name: str, kind: int, properties: Any) -> metadata_fb.TensorMetadataT:
    tensor = metadata_fb.TensorMetadataT()
    tensor.name, tensor.content = name, metadata_fb.ContentT()
    tensor.content.contentPropertiesType, tensor.content.contentProperties = kind, properties
    return tensor


def attach_metadata(network: bytes, metadata: bytes) -> bytes:
    """The TFLite network with one more metadata entry.

    A flatbuffer points only forward, so the old file stays as it is, weights aligned, behind a new root table that
    shares all its parts. Unpacking and packing it anew would give other bytes with each flatbuffers release, and
    unaligned weights.
    """
    network += bytes(-len(network) % ALIGN_BYTES)
    builder = flatbuffers.Builder(len(network) + len(metadata) + (1 << 16))
    builder.Prep(ALIGN_BYTES, len(network))
    builder.head -= len(network)
    builder.Bytes[builder.head :] = network
    old = _OldRoot(network)

    content = builder.CreateByteVector(metadata)
    tflite_fb.BufferStart(builder)
    tflite_fb.BufferAddData(builder, content)
    buffers = [*old.children(BUFFERS), tflite_fb.BufferEnd(builder)]
    name = builder.CreateString(METADATA_NAME)
    tflite_fb.MetadataStart(builder)
    tflite_fb.MetadataAddName(builder, name)
    tflite_fb.MetadataAddBuffer(builder, len(buffers) - 1)
    entries = [*old.children(METADATA), tflite_fb.MetadataEnd(builder)]
    buffers_at = _vector(builder, tflite_fb.ModelStartBuffersVector, buffers)
    entries_at = _vector(builder, tflite_fb.ModelStartMetadataVector, entries)

    tflite_fb.ModelStart(builder)
    tflite_fb.ModelAddVersion(builder, tflite_fb.Model.GetRootAs(network).Version())
    for slot, add in (
        (OPERATOR_CODES, tflite_fb.ModelAddOperatorCodes),
        (SUBGRAPHS, tflite_fb.ModelAddSubgraphs),
        (DESCRIPTION, tflite_fb.ModelAddDescription),
        (SIGNATURE_DEFS, tflite_fb.ModelAddSignatureDefs),
    ):
        if old.has(slot):
            add(builder, old.child(slot))
    tflite_fb.ModelAddBuffers(builder, buffers_at)
    tflite_fb.ModelAddMetadata(builder, entries_at)
    builder.Finish(tflite_fb.ModelEnd(builder), TFLITE_IDENTIFIER)
    return bytes(builder.Output())


class _OldRoot:
    """The parts of an existing flatbuffer's root table, as a builder counts: in bytes from the file's end."""

    def __init__(self, network: bytes) -> None:
        self._size = len(network)
        self._table = Table(bytearray(network), int.from_bytes(network[:4], "little"))

    def _field(self, slot: int) -> int:
        return int(self._table.Offset(4 + 2 * slot))

    def has(self, slot: int) -> bool:
        return self._field(slot) != 0

    def child(self, slot: int) -> int:
        return self._size - self._table.Indirect(self._table.Pos + self._field(slot))

    def children(self, slot: int) -> list[int]:
        if not self.has(slot):
            return []
        start = self._table.Vector(self._field(slot))
        count = self._table.VectorLen(self._field(slot))
        return [self._size - self._table.Indirect(start + 4 * i) for i in range(count)]


def _vector(builder: flatbuffers.Builder, start: Callable[..., int], items: list[int]) -> int:
    start(builder, len(items))
    for item in reversed(items):
        builder.PrependUOffsetTRelative(item)
    return builder.EndVector()


def pack_task(members: dict[str, bytes]) -> bytes:
    """A stored zip of `members` by name, every member aligned so that its weights are used where they lie."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            padding = -(out.tell() + ZIP_HEADER_BYTES + len(name) + 4) % ALIGN_BYTES
            entry.extra = struct.pack("<HH", ZIP_ALIGN_RECORD, padding) + bytes(padding)
            archive.writestr(entry, content)
    return out.getvalue()
