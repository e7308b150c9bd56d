"""A trained model as an ONNX file, for whoever predicts with it elsewhere.

`wire` writes the bytes, `encoder` says what is computed. No library is needed to write one.
"""
