//! Networks go to ONNX and come back.
