//! The readers of pictures on arbitrary bytes: a picture of its size or an error. `cargo +nightly fuzz run picture`

#![no_main]

use inkling_data::{PictureFit, Prepared, decode_png, prepare};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for channels in [1, 3] {
        if let Ok(image) = decode_png(bytes, channels) {
            assert_eq!((image.count, image.channels), (1, channels));
            assert_eq!(image.pixels.len(), image.dim());
        }
        let how = Prepared { shape: [28, 28, channels], fit: PictureFit::Digit, inverted: true };
        if let Ok(picture) = prepare(bytes, how) {
            assert_eq!(picture.image.pixels.len(), 28 * 28 * channels);
        }
    }
});
