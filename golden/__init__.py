"""The golden model: MobileNetV2 in float and in integers, in numpy alone.

`network` says which layers there are, `float_model` runs them in float32, and `quantize` makes a
`model.QuantizedModel` of that, whose parts are in `quantized_block` and `quantized_layer`. Their
arithmetic is written out in `ops` and `fixed_point`; `fast` has it faster, with equal results.
`graph` runs any network of LiteRT's int8 operators. `importers` and `exporters` read and write the
files of other frameworks, `archive` and `float_archive` the project's own.
"""
