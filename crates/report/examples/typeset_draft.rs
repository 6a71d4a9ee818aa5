//! Typesets the report of a finished study with placeholder figures.
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let store = inkling_store::Reader::open(std::path::Path::new(&args[1])).unwrap();
    let results = inkling_report::Results::read(&store).unwrap();
    let figures: Vec<inkling_report::Figure> = [("pca_scatter", 400), ("pca_scatter_classes", 230), ("pca_scree",170), ("pca_components",150), ("pca_reconstructions",190), ("separability",240), ("perceptron_weights",440), ("perceptron_errors",420), ("perceptron_errors_five",200), ("perceptron_accuracy",330)]
        .into_iter().map(|(name, h)| inkling_report::Figure { name, alt: format!("Placeholder {name}."), svg: format!(r##"<svg xmlns="http://www.w3.org/2000/svg" width="453" height="{h}" viewBox="0 0 453 {h}" font-family="Arial, 'Liberation Sans', Helvetica, sans-serif"><rect width="453" height="{h}" fill="#eef"/><text x="20" y="40" font-size="9">{name} 0.25 − ρ</text></svg>"##) }).collect();
    let start = std::time::Instant::now();
    let pdf = inkling_report::typeset(&results, &figures).unwrap();
    println!("{:?} {} bytes", start.elapsed(), pdf.len());
    std::fs::write(&args[2], pdf).unwrap();
}
