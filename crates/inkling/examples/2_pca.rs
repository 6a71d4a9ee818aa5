//! Principal components of MNIST: `cargo run --release -p inkling --example 2_pca`.
#![expect(clippy::print_stdout, reason = "an example says what it finds")]

use inkling::engine::Affine;
use inkling::engine::pca::Pca;
use inkling_data::Sources;

/// Says how much of the variance the first components explain.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = inkling_data::load("mnist", &Sources::new(None))?;
    let images = &set.train.images;
    let pca = Pca::fit(&images.pixels, images.dim(), Affine::SIGNED_UNIT, 50)?;
    let mut explained = 0.0;
    for (number, share) in pca.explained_variance_ratio.iter().enumerate() {
        explained += share;
        if [2, 10, 50].contains(&(number + 1)) {
            println!("{} components explain {:.1} % of the variance", number + 1, 100.0 * explained);
        }
    }
    // The first image in the plane of the first two components.
    let place = pca.transform(images.image(0), 2);
    println!("the first image, a {}, lies at ({:.2}, {:.2})", set.train.labels[0], place[0], place[1]);
    Ok(())
}
