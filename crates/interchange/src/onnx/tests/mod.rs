//! Networks go to ONNX and come back, and what is no network is refused.

mod foreign;
mod hostile;
mod refusals;
mod round_trip;
mod support;
