//! Temporary.
use inkling_engine::random::Stream;
use inkling_engine::{Labelled, Network, Trainer};
use inkling_spec::{MODELS, ModelSpec, Optimizer};
#[test]
fn rate() {
    for name in ["mlp", "cnn"] {
        let text = MODELS.iter().find(|(known, _)| *known == name).unwrap().1;
        let spec = ModelSpec::from_toml(name, text).unwrap();
        let plan = spec.plan().unwrap();
        let network = Network::new(&spec, 1).unwrap();
        let mut t =
            Trainer::new(network, Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }, 50, &[1.0]);
        let mut stream = Stream::new(1, "images");
        let mut pixel = || if stream.below(5) == 0 { stream.below(256) as u8 } else { 0 };
        let pixels: Vec<u8> = (0..50 * 784).map(|_| pixel()).collect();
        let labels: Vec<u8> = (0..50).map(|i| (i % 10) as u8).collect();
        let order: Vec<u32> = (0..50).collect();
        let l: &[&[u8]] = &[&labels];
        let mut best: Vec<(String, f64, f64)> = Vec::new();
        let mut total = f64::INFINITY;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(std::env::var("T").map_or(2, |t| t.parse().unwrap()))
            .build()
            .unwrap();
        pool.install(|| {
            for _ in 0..300 {
                let start = std::time::Instant::now();
                t.step(Labelled { pixels: &pixels, labels: l }, &order, 1e-3);
                total = total.min(start.elapsed().as_secs_f64());
                let times = t.times();
                if best.is_empty() {
                    best = times.iter().map(|t| (t.name.clone(), 1e9, 1e9)).collect();
                }
                for (b, t) in best.iter_mut().zip(&times) {
                    b.1 = b.1.min(t.forward.as_secs_f64());
                    b.2 = b.2.min(t.backward.as_secs_f64());
                }
            }
        });
        println!(
            "{name} step {:.3} ms, sum {:.3}",
            total * 1e3,
            best.iter().map(|b| b.1 + b.2).sum::<f64>() * 1e3
        );
        for (i, (n, f, b)) in best.iter().enumerate() {
            let layer = plan.layers.iter().find(|l| format!("{}", l.place.replace(' ', ".")) == *n).unwrap();
            let flop = 2.0 * 50.0 * layer.multiply_adds as f64;
            println!(
                "  {n}: forward {:.3} ms {:.0} GFLOP/s, backward {:.3} ms {:.0} GFLOP/s",
                f * 1e3,
                flop / f / 1e9,
                b * 1e3,
                if i == 0 { 1.0 } else { 2.0 } * flop / b / 1e9
            );
        }
    }
}
