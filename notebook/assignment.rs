// ---
// jupyter:
//   jupytext:
//     text_representation:
//       extension: .rs
//       format_name: percent
//   kernelspec:
//     display_name: Rust
//     language: rust
//     name: rust
// ---

// %% [markdown]
// # Assignment2_Group_N
//
// Principal components, perceptrons, multilayer perceptrons, convolutional networks, what they learn to see, and one network
// for two tasks, on MNIST and Fashion-MNIST.
//
// The notebook lies beside the folder `Assignment2_Group_N.code`, from which it uses the crates of *Inkling*, our
// laboratory for small networks: `inkling-data` reads images, `inkling` builds, trains and inspects networks, and
// `inkling-engine`, on which it is built, computes.
// Whatever the tasks ask us to implement is written out in the cells; what they let us import, we import. The notebook runs
// in Jupyter with the kernel [evcxr](https://github.com/evcxr/evcxr) and Rust 1.92 or newer.
//
// Every number below is printed by a cell. The text makes no claim about results: it says what to look for, whatever the
// seed and the sizes.

// %%
// A panic ends the notebook, instead of being a line among others.
:preserve_vars_on_panic 0
:opt 3
:dep inkling = { path = "Assignment2_Group_N.code/crates/inkling" }
:dep inkling-data = { path = "Assignment2_Group_N.code/crates/data" }
:dep inkling-engine = { path = "Assignment2_Group_N.code/crates/engine" }
:dep kuva = { version = "=0.6.0", default-features = false }
:dep png = "0.18"
:dep base64 = "0.22"

// %% [markdown]
// **Sizes.** The next cell holds every setting on which the running time depends. `SMOKE` uses a few thousand images and
// small networks, so that the whole notebook runs in minutes; its accuracies mean little. `BRIEF` uses all images and the
// networks of the assignment, and takes hours. To choose, change the last line, or set the environment variable
// `INKLING_NOTEBOOK` to `brief`.

// %%
/// Filters, sides of the kernels and strides of each convolution.
#[derive(Clone, Copy, Debug)]
struct Convolutions {
    filters: &'static [usize],
    kernels: &'static [usize],
    strides: &'static [usize],
}

#[derive(Clone, Copy, Debug)]
struct Sizes {
    /// Images to train on and to test with.
    images: [usize; 2],
    /// Task 1: directions in which a line is looked for, and passes over the images in which a hyperplane is.
    search: [usize; 2],
    /// Task 3: units of the hidden layers of each network, the assignment's first.
    mlps: &'static [&'static [usize]],
    /// Task 4: the networks, the assignment's first.
    cnns: &'static [Convolutions],
    /// Tasks 3 and 4.
    recipe: Recipe,
    /// Task 5: steps of gradient ascent.
    dream_steps: usize,
    /// Task 6: filters of the convolutions, units of the shared dense layer and of each head's.
    two_tasks: (&'static [usize], usize, &'static [usize]),
    two_tasks_recipe: Recipe,
}

/// How a network is trained.
#[derive(Clone, Copy, Debug)]
struct Recipe {
    epochs: usize,
    batch: usize,
    learning_rate: f64,
}

const SMOKE: Sizes = Sizes {
    images: [3000, 1000],
    search: [60, 50],
    mlps: &[&[64, 64], &[60, 60, 60], &[56; 4], &[52; 5], &[48; 7]],
    cnns: &[
        Convolutions { filters: &[8, 16, 32], kernels: &[4, 4, 4], strides: &[1, 2, 2] },
        Convolutions { filters: &[8], kernels: &[4], strides: &[2] },
        Convolutions { filters: &[8, 16], kernels: &[4, 4], strides: &[2, 2] },
        Convolutions { filters: &[8, 12, 16, 24], kernels: &[4, 4, 4, 4], strides: &[1, 2, 1, 2] },
        Convolutions {
            filters: &[8, 8, 16, 16, 16],
            kernels: &[3, 3, 3, 3, 3],
            strides: &[1, 2, 1, 2, 1],
        },
    ],
    recipe: Recipe { epochs: 2, batch: 50, learning_rate: 0.002 },
    dream_steps: 100,
    two_tasks: (&[8, 8, 16], 64, &[32, 16]),
    two_tasks_recipe: Recipe { epochs: 2, batch: 50, learning_rate: 0.001 },
};

const BRIEF: Sizes = Sizes {
    images: [60_000, 10_000],
    search: [180, 100],
    mlps: &[&[1000, 1000], &[256, 256, 256], &[650; 4], &[208; 5], &[180; 7]],
    cnns: &[
        Convolutions { filters: &[32, 64, 128], kernels: &[4, 4, 4], strides: &[1, 2, 2] },
        Convolutions { filters: &[32], kernels: &[4], strides: &[2] },
        Convolutions { filters: &[32, 64], kernels: &[4, 4], strides: &[2, 2] },
        Convolutions { filters: &[32, 48, 64, 96], kernels: &[4, 4, 4, 4], strides: &[1, 2, 1, 2] },
        Convolutions {
            filters: &[16, 16, 32, 32, 64],
            kernels: &[3, 3, 3, 3, 3],
            strides: &[1, 2, 1, 2, 1],
        },
    ],
    recipe: Recipe { epochs: 10, batch: 50, learning_rate: 0.001 },
    dream_steps: 250,
    two_tasks: (&[32, 64, 128], 3136, &[1024, 100]),
    two_tasks_recipe: Recipe { epochs: 5, batch: 10, learning_rate: 0.001 },
};

/// Where all random numbers come from.
const SEED: u64 = 1;

let sizes: Sizes = match std::env::var("INKLING_NOTEBOOK").as_deref() {
    Ok("brief") => BRIEF,
    Ok("smoke") | Err(_) => SMOKE,
    Ok(other) => panic!("INKLING_NOTEBOOK is `{other}`: expected `smoke` or `brief`"),
};

// %% [markdown]
// The images are 28 × 28 bytes, from 0 for paper to 255 for ink. Every file is verified against its published
// checksum.

// %%
use inkling_data::{Samples, Sources};

/// Training and test images of a set, with their labels.
fn load(name: &str, [train, test]: [usize; 2]) -> (Samples, Samples) {
    let folder = "Assignment2_Group_N.code/data".into();
    let set = inkling_data::load(name, &Sources::new(Some(folder))).unwrap();
    (set.train.take(train), set.test.take(test))
}

let (train, test): (Samples, Samples) = load("mnist", sizes.images);
println!(
    "{} images to train on, {} to test with, of {} pixels each",
    train.len(),
    test.len(),
    train.images.dim()
);

// %% [markdown]
// ---
// ## Task 1: two numbers for 784
//
// A pixel $p$ becomes $x = p/127.5 - 1$, an image a vector of 784 such numbers. With the images as the rows of $X$, centred
// by their mean $\mu$, the covariance is
//
// $$C = \frac{1}{n-1} \sum_i (x_i - \mu)(x_i - \mu)^\top = V \Lambda V^\top .$$
//
// The eigenvectors in $V$ are the principal components: $v_1$ is the direction along which the images vary most, $v_2$ the
// direction orthogonal to it along which they vary most, and so on. The eigenvalue $\lambda_k$ is the
// variance along $v_k$. The plane of the first two is therefore the two-dimensional view that loses least of the images, in
// squared distance:
//
// $$z_i = \big(v_1^\top (x_i - \mu),\ v_2^\top (x_i - \mu)\big).$$

// %%
use inkling_engine::{Affine, pca::Pca};

let pca = Pca::fit(&train.images.pixels, train.images.dim(), Affine::SIGNED_UNIT, 50).unwrap();
let plane: Vec<[f64; 2]> = pca.transform(&train.images.pixels, 2).as_chunks::<2>().0.to_vec();

let shares: Vec<f64> = pca.spectrum.iter().map(|variance| variance / pca.total_variance).collect();
println!(
    "the first component carries {:.1} % of the variance, the second {:.1} %",
    100.0 * shares[0],
    100.0 * shares[1]
);

// %% [markdown]
// A figure is SVG that Jupyter shows inline. `kuva` draws the charts.

// %%
use kuva::prelude::*;

struct Figure(String);

impl Figure {
    fn evcxr_display(&self) {
        println!("EVCXR_BEGIN_CONTENT image/svg+xml\n{}\nEVCXR_END_CONTENT", self.0);
    }
}

fn layout(plots: &[Plot], title: &str, x: &str, y: &str) -> Layout {
    let layout = Layout::auto_from_plots(plots)
        .with_title(title)
        .with_x_label(x)
        .with_y_label(y)
        .with_show_grid(false);
    layout.with_title_size(15).with_label_size(13).with_tick_size(11).with_body_size(12)
}

fn chart(plots: Vec<Plot>, layout: Layout) -> Figure {
    Figure(kuva::render_to_svg(
        plots,
        layout.with_font_family("Arial, 'Liberation Sans', Helvetica, sans-serif"),
    ))
}

/// A colour for each class that stays apart from the others for colour-blind readers too, and a marker.
const CLASSES: [(&str, MarkerShape); 10] = [
    ("#f55c16", MarkerShape::Circle),
    ("#5ee4f0", MarkerShape::Square),
    ("#685f97", MarkerShape::Triangle),
    ("#c10af5", MarkerShape::Diamond),
    ("#a996f5", MarkerShape::Cross),
    ("#540a55", MarkerShape::Plus),
    ("#a50b0a", MarkerShape::TriangleDown),
    ("#0b0ab8", MarkerShape::Star),
    ("#0aa489", MarkerShape::Pentagon),
    ("#e5d035", MarkerShape::Hexagon),
];

/// The points of one class.
fn cloud(plane: &[[f64; 2]], labels: &[u8], class: u8) -> Vec<[f64; 2]> {
    plane.iter().zip(labels).filter(|(_, label)| **label == class).map(|(point, _)| *point).collect()
}

/// All points; class follows class within each of some slices of the images, so that no class covers the others.
fn scatter(plane: &[[f64; 2]], labels: &[u8]) -> Figure {
    const SLICES: usize = 30;
    let (count, size) = (plane.len().div_ceil(SLICES), 150.0 / (plane.len() as f64).sqrt());
    let mut plots = Vec::new();
    for (slice, (plane, labels)) in plane.chunks(count).zip(labels.chunks(count)).enumerate() {
        for (class, (colour, marker)) in (0..).zip(CLASSES) {
            let points = cloud(plane, labels, class).into_iter().map(|[x, y]| (x, y));
            let plot = ScatterPlot::new().with_data(points).with_color(colour).with_marker(marker);
            let plot = plot.with_size(size.clamp(1.2, 3.0));
            plots.push(Plot::from(if slice == 0 {
                plot.with_legend(class.to_string())
            } else {
                plot
            }));
        }
    }
    let title = "Training images in the plane of their first two components";
    let titled = layout(&plots, title, "along the first component", "along the second");
    chart(plots, titled.with_legend_title("digit").with_width(820.0).with_height(640.0))
}

scatter(&plane, &train.labels)

// %% [markdown]
// **Why PCA is a good way to look at data.** It needs no labels and has nothing to tune; of all two-dimensional linear views,
// it keeps the most variance; it is a linear map, so distances can only shrink, directions in the plot are directions among
// the images, and each axis is itself an image that one can look at. It also tells how much it hides:

// %%
/// Percent of the variance that the first k components carry together, for k from 1 on.
fn cumulated(shares: &[f64]) -> Vec<f64> {
    let sum = |sum: &mut f64, share: &f64| {
        *sum += 100.0 * share;
        Some(*sum)
    };
    shares.iter().scan(0.0, sum).collect()
}

fn scree(shares: &[f64], most: usize) -> Figure {
    let points: Vec<(f64, f64)> = (1..=most).map(|k| k as f64).zip(cumulated(shares)).collect();
    let line = vec![Plot::from(
        LinePlot::new().with_data(points).with_color("#0072b2").with_stroke_width(2.0),
    )];
    let titled = layout(
        &line,
        "Variance that the first components carry",
        "number of components",
        "% of the variance",
    );
    chart(
        line,
        titled.with_y_axis_min(0.0).with_y_axis_max(100.0).with_width(620.0).with_height(320.0),
    )
}

for wanted in [50.0, 90.0, 95.0] {
    let needed = 1 + cumulated(&shares).iter().position(|&sum| sum >= wanted).unwrap();
    println!("{wanted} % of the variance take {needed} components");
}
scree(&shares, 200)

// %% [markdown]
// The components themselves: red pixels count for a component, blue ones against it. An image's coordinate is large where
// its ink lies on the red and its paper on the blue.

// %%
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// A picture of height × width colours, to be shown with a label.
#[derive(Clone)]
struct Tile {
    label: String,
    size: [usize; 2],
    colours: Vec<[u8; 3]>,
}

/// Blue for the smallest number, white for zero, red for the largest, by the largest magnitude.
fn diverging(label: impl Into<String>, side: usize, values: &[f32]) -> Tile {
    let most = values.iter().fold(f32::MIN_POSITIVE, |most, value| most.max(value.abs()));
    let colour = |&value: &f32| {
        let (t, end) =
            (value.abs() / most, if value < 0.0 { [33.0, 90.0, 172.0] } else { [178.0, 24.0, 43.0] });
        end.map(|channel: f32| (255.0 + t * (channel - 255.0)) as u8)
    };
    Tile {
        label: label.into(),
        size: [values.len() / side, side],
        colours: values.iter().map(colour).collect(),
    }
}

/// Black for the least of these numbers, white for the most.
fn grey(label: impl Into<String>, side: usize, values: &[f32], [least, most]: [f32; 2]) -> Tile {
    let colour = |&value: &f32| {
        [(255.0 * (value - least) / (most - least).max(f32::MIN_POSITIVE)).clamp(0.0, 255.0) as u8; 3]
    };
    Tile {
        label: label.into(),
        size: [values.len() / side, side],
        colours: values.iter().map(colour).collect(),
    }
}

impl Tile {
    /// As an element of an SVG, `scale` points to a pixel.
    fn svg(&self, x: f64, y: f64, scale: f64) -> String {
        let [height, width] = self.size;
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header().unwrap().write_image_data(self.colours.as_flattened()).unwrap();
        let (width, height) = (scale * width as f64, scale * height as f64);
        let data = BASE64_STANDARD.encode(file);
        format!(
            "<image x='{x}' y='{y}' width='{width}' height='{height}' style='image-rendering: pixelated' \
             href='data:image/png;base64,{data}'/>"
        )
    }
}

/// An SVG of this size and content under a title.
fn drawing(title: &str, width: f64, height: f64, content: &str) -> Figure {
    Figure(format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' \
         viewBox='0 0 {width} {height}' \
         font-family='Arial, Liberation Sans, Helvetica, sans-serif' font-size='11' fill='#222'>\
         <rect width='{width}' height='{height}' fill='#fff'/>\
         <text x='4' y='16' font-size='14' font-weight='bold'>{title}</text>{content}</svg>"
    ))
}

/// Tiles of one size with their labels above them, so many in a row.
fn gallery(title: &str, tiles: &[Tile], per_row: usize, scale: f64) -> Figure {
    let [height, width] = tiles[0].size.map(|pixels| scale * pixels as f64);
    // Room for the labels, at about six points a letter.
    let longest = tiles.iter().map(|tile| tile.label.chars().count()).max().unwrap_or(0) as f64;
    let (step, rise) =
        (width.max(6.2 * longest) + 8.0, height + if longest > 0.0 { 22.0 } else { 8.0 });
    let place = |(i, tile): (usize, &Tile)| {
        let (x, y) = (4.0 + step * (i % per_row) as f64, 28.0 + rise * (i / per_row) as f64);
        let top = y + rise - height - 8.0;
        format!("<text x='{x}' y='{}'>{}</text>{}", top - 4.0, tile.label, tile.svg(x, top, scale))
    };
    let content: String = tiles.iter().enumerate().map(place).collect();
    let columns = per_row.min(tiles.len());
    let rows = tiles.len().div_ceil(per_row);
    drawing(
        title,
        (4.0 + step * columns as f64).max(7.6 * title.chars().count() as f64),
        28.0 + rise * rows as f64,
        &content,
    )
}

let components: Vec<Tile> = (0..6)
    .map(|k| {
        let loadings: Vec<f32> =
            pca.components[784 * k..][..784].iter().map(|&loading| loading as f32).collect();
        diverging(format!("{}: {:.1} %", k + 1, 100.0 * shares[k]), 28, &loadings)
    })
    .collect();
gallery("Components and their shares of the variance", &components, 6, 4.0)

// %% [markdown]
// **What to look for in the plot.** Each digit is a cloud, not a point. Look for clouds that overlap, of digits that are drawn
// alike, and for clouds that lie apart, of digits that share little ink: a ring and a stroke in the middle, as in zeros and
// ones, are what a first component can tell from each other. Two numbers keep only a part of the variance, so clouds that
// overlap here need not overlap among the images themselves.
//
// **Which classes can be separated by a line?** These are two questions. *In the plane*, two classes can be separated if and
// only if their convex hulls are disjoint, which can be decided exactly. *In all 784 dimensions*, a hyperplane that makes no
// error proves that they can; that a search finds none proves nothing. Any line in the plane is the trace of a hyperplane
// among the images, so what is separable in the plane is separable among the images, but not the other way round.

// %%
use inkling_engine::perceptron::one_vs_one;
use inkling_engine::separability::{best_line, linearly_separable_2d, separating_hyperplane};

#[derive(Clone, Debug)]
struct Separation {
    pair: (u8, u8),
    in_plane: bool,
    /// Share of the images on the right side of the best line that was found in the plane.
    plane_accuracy: f64,
    /// Images on the wrong side of the best hyperplane that was found.
    errors: usize,
}

let [directions, passes] = sizes.search;
let separations: Vec<Separation> = one_vs_one(10, |a, b| {
    let clouds = [a, b].map(|class| cloud(&plane, &train.labels, class));
    let (pixels, y) = train.pair(a, b);
    let wrong = best_line(&clouds[0], &clouds[1], directions).errors;
    Separation {
        pair: (a, b),
        in_plane: linearly_separable_2d(&clouds[0], &clouds[1]),
        plane_accuracy: 1.0 - wrong as f64 / y.len() as f64,
        errors: separating_hyperplane(&pixels, &y, passes, &|| true).errors,
    }
});

fn named(separations: &[Separation], which: fn(&Separation) -> bool) -> String {
    let found: Vec<String> = separations
        .iter()
        .filter(|s| which(s))
        .map(|s| format!("{}/{}", s.pair.0, s.pair.1))
        .collect();
    format!("{} of {} pairs {}", found.len(), separations.len(), found.join(", "))
}

println!("separated by a line in the plane: {}", named(&separations, |s| s.in_plane));
println!("not separated by any hyperplane that was found: {}", named(&separations, |s| s.errors > 0));

// %% [markdown]
// Above the diagonal: the share of the images of two digits that the best line in the plane classifies correctly. Below
// it: the number of images on the wrong side of the best hyperplane in all dimensions, where 0 proves separability.

// %%
/// A table, shown as HTML and kept as plain text too.
struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

fn table(head: &[&str], rows: Vec<Vec<String>>) -> Table {
    Table { head: head.iter().map(|&name| name.into()).collect(), rows }
}

impl Table {
    fn evcxr_display(&self) {
        let row = |tag: &str, cells: &[String]| -> String {
            let cells: String = cells
                .iter()
                .map(|cell| format!("<{tag} style='text-align: right'>{cell}</{tag}>"))
                .collect();
            format!("<tr>{cells}</tr>")
        };
        let rows: String = self.rows.iter().map(|cells| row("td", cells)).collect();
        println!(
            "EVCXR_BEGIN_CONTENT text/html\n<table>{}{rows}</table>\nEVCXR_END_CONTENT",
            row("th", &self.head)
        );
        let lines: Vec<String> =
            std::iter::once(&self.head).chain(&self.rows).map(|cells| cells.join(" | ")).collect();
        println!("EVCXR_BEGIN_CONTENT text/plain\n{}\nEVCXR_END_CONTENT", lines.join("\n"));
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn matrix(separations: &[Separation]) -> Table {
    let between = |row: u8, column: u8| {
        let found = separations.iter().find(|s| s.pair == (row.min(column), row.max(column)));
        found.map_or(String::new(), |s| {
            if row < column { percent(s.plane_accuracy) } else { s.errors.to_string() }
        })
    };
    let row = |row: u8| {
        std::iter::once(row.to_string()).chain((0..10).map(|column| between(row, column))).collect()
    };
    table(&["", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], (0..10).map(row).collect())
}

matrix(&separations)

// %% [markdown]
// The difference between the two lists is what the plane hides. Look for pairs that a hyperplane separates among the images
// and no line in the plot: the directions in which two digits differ are seldom those in which all images vary most.

// %% [markdown]
// ---
// ## Task 2: the perceptron
//
// A perceptron with weights $w$ and bias $b$ predicts $\hat y = 1$ if $w \cdot x + b \ge 0$, and $-1$ otherwise.
// Rosenblatt's rule visits the images in random order and, whenever the prediction is wrong, corrects
//
// $$w \leftarrow w + \eta\, y\, x, \qquad b \leftarrow b + \eta\, y .$$
//
// An iteration is one pass over the images; its error is the share of them that is misclassified after the pass. Weights and
// bias are initialised uniformly in $[0, 1)$, $\eta = 0.1$, and training stops when the error is at most $10^{-3}$ or after
// 1000 iterations. If a hyperplane separates the classes, the rule finds one after finitely many corrections (Novikoff
// 1962); if none does, the corrections never end.

// %%
use inkling_engine::random::RngStream;

const LEARNING_RATE: f32 = 0.1;
const MAX_ITERATIONS: usize = 1000;
const TOLERANCE: f64 = 1e-3;

/// w·x, in sixteen sums side by side, which a processor can do at once.
fn dot(w: &[f32], x: &[f32]) -> f32 {
    let (mut sums, (w, w_rest), (x, x_rest)) = ([0.0; 16], w.as_chunks::<16>(), x.as_chunks::<16>());
    for (w, x) in w.iter().zip(x) {
        for lane in 0..16 {
            sums[lane] += w[lane] * x[lane];
        }
    }
    let rest: f32 = w_rest.iter().zip(x_rest).map(|(w, x)| w * x).sum();
    sums.iter().sum::<f32>() + rest
}

/// The class, −1 or 1, of each of the n rows of x, [n, m].
fn predict(x: &[Vec<f32>], w: &[f32], b: f32) -> Vec<i8> {
    x.iter().map(|x| if dot(w, x) + b >= 0.0 { 1 } else { -1 }).collect()
}

/// Trains on the rows of x, [n, m], with labels y, [n]: weights w, [m], bias b, and the error after each iteration.
fn optimize(x: &[Vec<f32>], y: &[i8]) -> (Vec<f32>, f32, Vec<f64>) {
    let mut random = RngStream::new(SEED, "notebook/perceptron");
    let mut w: Vec<f32> = x[0].iter().map(|_| random.uniform()).collect();
    let mut b = random.uniform();
    let mut order: Vec<usize> = (0..x.len()).collect();
    let (mut errors, mut error) = (Vec::new(), 1.0);
    while errors.len() < MAX_ITERATIONS && error > TOLERANCE {
        random.shuffle(&mut order);
        for &i in &order {
            let answer = if dot(&w, &x[i]) + b >= 0.0 { 1 } else { -1 };
            if answer != y[i] {
                let step = LEARNING_RATE * f32::from(y[i]);
                w.iter_mut().zip(&x[i]).for_each(|(w, x)| *w += step * x);
                b += step;
            }
        }
        let wrong = predict(x, &w, b).iter().zip(y).filter(|(answer, y)| answer != y).count();
        error = wrong as f64 / y.len() as f64;
        errors.push(error);
    }
    (w, b, errors)
}

// %% [markdown]
// **All 45 pairs of digits**, with any optimise function.

// %%
/// A perceptron for the digits a (−1) and b (1).
#[derive(Clone)]
struct Perceptron {
    a: u8,
    b: u8,
    w: Vec<f32>,
    errors: Vec<f64>,
    test_accuracy: f64,
    tested: usize,
}

/// The images of two digits as rows of x = p/127.5 − 1, with labels −1 and 1.
fn rows_of(samples: &Samples, a: u8, b: u8) -> (Vec<Vec<f32>>, Vec<i8>) {
    let (pixels, y) = samples.pair(a, b);
    let row = |pixels: &[u8]| pixels.iter().map(|&p| f32::from(p) / 127.5 - 1.0).collect();
    (pixels.chunks(samples.images.dim()).map(row).collect(), y)
}

/// Trains a perceptron for every two digits with this optimise function, and tests it.
fn train_pairs(
    train: &Samples,
    test: &Samples,
    optimize: impl Fn(&[Vec<f32>], &[i8]) -> (Vec<f32>, f32, Vec<f64>) + Sync,
) -> Vec<Perceptron> {
    one_vs_one(10, |a, b| {
        let (x, y) = rows_of(train, a, b);
        let (w, bias, errors) = optimize(&x, &y);
        let (x, y) = rows_of(test, a, b);
        let right = predict(&x, &w, bias).iter().zip(&y).filter(|(answer, y)| answer == y).count();
        Perceptron { a, b, w, errors, test_accuracy: right as f64 / y.len() as f64, tested: y.len() }
    })
}

let perceptrons: Vec<Perceptron> = train_pairs(&train, &test, optimize);
let mean = perceptrons.iter().map(|p| p.test_accuracy).sum::<f64>() / perceptrons.len() as f64;
let ended = perceptrons.iter().filter(|p| *p.errors.last().unwrap() <= TOLERANCE).count();
println!(
    "{} perceptrons, right on {} of their test images on average; {ended} ended below the tolerance",
    perceptrons.len(),
    percent(mean)
);

// %% [markdown]
// **Their weights**, as images. Ink on a red pixel is evidence for the second digit, ink on a blue one for the first, so the
// images show where the two differ. Pixels that are paper in every image, $x = -1$, as at the border, tell nothing: all
// their weights receive the same corrections and act as one more bias, while their initial differences remain.

// %%
let weights: Vec<Tile> = perceptrons
    .iter()
    .map(|p| diverging(format!("{} / {}: {}", p.a, p.b, percent(p.test_accuracy)), 28, &p.w))
    .collect();
gallery("Weights of the 45 perceptrons, with their accuracies on test images", &weights, 9, 3.0)

// %%
/// Curves in small panels with common axes, so many in a row.
fn small_curves(title: &str, curves: &[(String, Vec<f64>)], per_row: usize) -> Figure {
    let (width, height) = (88.0, 58.0);
    let longest = curves.iter().map(|(_, errors)| errors.len()).max().unwrap() as f64;
    let most =
        curves.iter().flat_map(|(_, errors)| errors).fold(0.0_f64, |most, &error| most.max(error));
    let panel = |(i, (label, errors)): (usize, &(String, Vec<f64>))| {
        let (x, y) = (
            4.0 + (width + 8.0) * (i % per_row) as f64,
            58.0 + (height + 22.0) * (i / per_row) as f64,
        );
        // A logarithm and a root, for most happens in the first iterations and close to zero.
        let place = |(k, error): (usize, &f64)| {
            let right = if longest > 1.0 { ((k + 1) as f64).ln() / longest.ln() } else { 0.0 };
            format!("{:.1},{:.1} ", x + width * right, y + height * (1.0 - (error / most).sqrt()))
        };
        let line: String = errors.iter().enumerate().map(place).collect();
        format!(
            "<text x='{x}' y='{}'>{label}</text>\
             <rect x='{x}' y='{y}' width='{width}' height='{height}' fill='none' stroke='#bbb'/>\
             <polyline points='{line}' fill='none' stroke='#0072b2' stroke-width='1.3'/>",
            y - 4.0
        )
    };
    let content: String = curves.iter().enumerate().map(panel).collect();
    let axes = format!(
        "<text x='4' y='30' fill='#777'>across: iterations from 1 to {longest}, logarithmic; \
         up: error from 0 to {}, as its root</text>",
        percent(most)
    );
    let rows = curves.len().div_ceil(per_row) as f64;
    drawing(
        title,
        4.0 + (width + 8.0) * per_row as f64,
        58.0 + (height + 22.0) * rows,
        &(axes + &content),
    )
}

let curves: Vec<(String, Vec<f64>)> = perceptrons
    .iter()
    .map(|p| (format!("{} / {}: {} it.", p.a, p.b, p.errors.len()), p.errors.clone()))
    .collect();
small_curves("Training error of the 45 perceptrons", &curves, 9)

// %% [markdown]
// **Five pairs**: the two with the lowest test accuracy, the median one, and the two with the highest. Each accuracy has its
// 95 % interval (Wilson 1927): for $k$ correct answers on $n$ images, with $\hat p = k/n$ and $z = 1.96$,
//
// $$\frac{\hat p + \frac{z^2}{2n} \pm z \sqrt{\frac{\hat p (1 - \hat p)}{n} + \frac{z^2}{4n^2}}}{1 + \frac{z^2}{n}} .$$

// %%
/// Wilson's 95 % interval of an accuracy on n images.
fn interval(accuracy: f64, n: usize) -> [f64; 2] {
    let (z, n) = (1.96_f64, n as f64);
    let half = z * (accuracy * (1.0 - accuracy) / n + z * z / (4.0 * n * n)).sqrt();
    [-half, half].map(|half| (accuracy + z * z / (2.0 * n) + half) / (1.0 + z * z / n))
}

fn with_interval(accuracy: f64, n: usize) -> String {
    let [low, high] = interval(accuracy, n);
    format!("{} ({:.1} to {:.1})", percent(accuracy), 100.0 * low, 100.0 * high)
}

fn five_pairs(perceptrons: &[Perceptron]) -> Table {
    let mut ranked: Vec<&Perceptron> = perceptrons.iter().collect();
    ranked.sort_by(|p, q| p.test_accuracy.total_cmp(&q.test_accuracy));
    let five =
        [0, 1, ranked.len() / 2, ranked.len() - 2, ranked.len() - 1].map(|place| ranked[place]);
    let row = |p: &Perceptron| {
        vec![
            format!("{} / {}", p.a, p.b),
            p.errors.len().to_string(),
            percent(*p.errors.last().unwrap()),
            with_interval(p.test_accuracy, p.tested),
        ]
    };
    table(
        &["digits", "iterations", "training error", "test accuracy"],
        five.into_iter().map(row).collect(),
    )
}

five_pairs(&perceptrons)

// %% [markdown]
// **Why some pairs can be harder.** A perceptron sums evidence pixel by pixel. Digits that share most of their strokes
// differ in few pixels, and those move with the handwriting: a 4 differs from a 9 in whether the top is closed, a 3 from a 5
// in the side on which a stroke turns, and a slant is enough to put the ink elsewhere. Digits that share little ink differ
// in many pixels at once, whatever the handwriting. Look in the table for whether such pairs are the hard and the easy ones
// here, and in the curves for pairs with many iterations and an error that jumps: near the hyperplane, a correction that
// helps one image harms others. If test accuracy is below training accuracy, remember that many hyperplanes separate the
// training images: the rule stops at the first that it finds, not at the one with the widest margin.

// %% [markdown]
// ---
// ## Task 3: multilayer perceptrons
//
// Pixels become $x = p/255$. A hidden layer is $h = \max(0, W x + b)$; the output layer gives a score (logit) $z_c$ for each
// digit, which softmax turns into probabilities. The loss of an image of class $c$ is its cross-entropy, whose gradient
// with respect to the scores is simple:
//
// $$p_j = \frac{e^{z_j}}{\sum_k e^{z_k}}, \qquad L = -\ln p_c, \qquad \frac{\partial L}{\partial z} = p - e_c ,$$
//
// with $e_c$ the label, one-hot. Backwards through a layer, $\partial L / \partial W = \delta x^\top$ and
// $\partial L / \partial x = W^\top \delta$, where $\delta$ is the gradient of the layer's output before its ReLU. Adam
// (Kingma and Ba 2015) keeps running means of the gradient $g$ and of its square, corrects them for starting at zero,
// and updates every weight by
//
// $$m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \quad
//   w \leftarrow w - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \varepsilon} .$$
//
// The network is a description from which a model is made. Initial weights before a ReLU are uniform in $\pm\sqrt{6/n_\text{in}}$
// (He et al. 2015), those of the output layer in $\pm\sqrt{6/(n_\text{in} + n_\text{out})}$ (Glorot and Bengio 2010), biases at
// zero.

// %%
use inkling::{Fit, Head, Initializer, Labels, LayerSpec, Model, ModelSpec, Optimizer, Pixels, layers};

const ADAM: Optimizer = Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };

/// A dense layer and its ReLU.
fn dense(units: usize) -> [LayerSpec; 2] {
    [LayerSpec::Dense { units, initializer: Initializer::HeUniform }, layers::relu()]
}

/// A network for images of 28 × 28 with one head for the ten digits.
fn for_digits(trunk: Vec<LayerSpec>) -> ModelSpec {
    ModelSpec { input: [28, 28, 1], trunk, heads: vec![Head::new("digit", vec![layers::dense(10)])] }
}

/// A multilayer perceptron for the ten digits.
fn mlp(hidden: &[usize]) -> ModelSpec {
    for_digits([layers::flatten()].into_iter().chain(hidden.iter().flat_map(|&units| dense(units))).collect())
}

/// The layers of a network, with what comes out of them and what they have to learn.
fn layer_table(spec: &ModelSpec) -> Table {
    let plan = spec.plan().unwrap();
    let row = |layer: &inkling::schema::PlannedLayer| {
        let (output, parameters) = (layer.output.to_string(), layer.parameters.to_string());
        vec![layer.place.clone(), layer.layer.kind().into(), output, parameters]
    };
    let mut rows: Vec<Vec<String>> = plan.layers.iter().map(row).collect();
    rows.push(vec!["all".into(), String::new(), String::new(), plan.parameters.to_string()]);
    table(&["place", "layer", "output", "parameters"], rows)
}

// The assignment's own, whatever the sizes.
assert_eq!(mlp(&[1000, 1000]).plan().unwrap().parameters, 1_796_010);
layer_table(&mlp(&[1000, 1000]))

// %% [markdown]
// **Training.** Each epoch visits the images once in a new order, one batch per step: forward pass, loss, backward pass, Adam.
// `fit` does these four and reports each epoch: on the training images as they were visited, each before its step, and after
// the epoch on the test images, which are used for no choice. A network may have several heads, each with its own labels and
// its own weight in the loss; in this task there is one.

// %%
use std::cell::RefCell;
use std::time::Instant;

/// What training a network left behind.
struct Trained {
    model: Model,
    /// Mean loss of each step's batch, all heads together.
    losses: Vec<f64>,
    /// Accuracies of the heads on the training images, as they went by, and on the test images, after each epoch.
    epochs: Vec<[Vec<f64>; 2]>,
    /// Accuracies of the heads on the training images at the end.
    train_accuracies: Vec<f64>,
    train_seconds: f64,
    /// One pass over the test images.
    test_seconds: f64,
}

/// Images with the labels of each head.
type Labelled<'a> = (&'a [u8], Vec<Labels<'a>>);

/// Trains a network from weights drawn anew; `weights` has the share of each head in the loss.
fn fit(spec: &ModelSpec, weights: &[f32], [train, test]: [&Labelled; 2], recipe: Recipe) -> Trained {
    let mut model = Model::new(spec, SEED).unwrap();
    let losses = RefCell::new(Vec::new());
    let note = |step: &inkling::Step| losses.borrow_mut().push(step.loss);
    let how = Fit {
        epochs: recipe.epochs,
        batch_size: recipe.batch,
        optimizer: ADAM,
        learning_rate: recipe.learning_rate,
        loss_weights: weights.to_vec(),
        validation: Some((Pixels::Bytes(test.0), test.1.clone())),
        seed: SEED,
        on_step: Some(&note),
        ..Fit::default()
    };
    let history = model.fit(train.0, &train.1[..], &how).unwrap();
    let accuracies = |found: Vec<inkling::Evaluation>| -> Vec<f64> { found.iter().map(|f| f.accuracy).collect() };
    let train_accuracies = accuracies(model.evaluate(train.0, &train.1[..]).unwrap());
    let start = Instant::now();
    model.evaluate(test.0, &test.1[..]).unwrap();
    let test_seconds = start.elapsed().as_secs_f64();
    let train_seconds = history.iter().map(|epoch| epoch.seconds).sum();
    let epochs = history
        .into_iter()
        .map(|epoch| [accuracies(epoch.heads), accuracies(epoch.validation.unwrap())])
        .collect();
    let losses = losses.into_inner();
    Trained { model, losses, epochs, train_accuracies, train_seconds, test_seconds }
}

/// Trains a network with one head for the digits.
fn fit_digits(spec: &ModelSpec, train: &Samples, test: &Samples, recipe: Recipe) -> Trained {
    let [train, test] = [train, test].map(|s| (&s.images.pixels[..], vec![Labels::Bytes(&s.labels)]));
    fit(spec, &[1.0], [&train, &test], recipe)
}

let mut mlps: Vec<Trained> = vec![fit_digits(&mlp(sizes.mlps[0]), &train, &test, sizes.recipe)];
println!(
    "{:?} hidden units: right on {} of the training and {} of the test images",
    sizes.mlps[0],
    percent(mlps[0].train_accuracies[0]),
    with_interval(mlps[0].epochs.last().unwrap()[1][0], test.len())
);

// %%
/// How training went: loss by step, smoothed, and accuracies by epoch.
fn curves_of(title: &str, trained: &Trained) -> Figure {
    let window = (trained.losses.len() / 60).max(1);
    let losses = trained.losses.chunks(window).enumerate();
    let losses: Vec<(f64, f64)> = losses
        .map(|(k, chunk)| ((window * (k + 1)) as f64, chunk.iter().sum::<f64>() / chunk.len() as f64))
        .collect();
    let loss = vec![Plot::from(
        LinePlot::new().with_data(losses).with_color("#0072b2").with_stroke_width(2.0),
    )];
    let curve = |which: usize, name: &str, colour: &str, marker: MarkerShape| {
        let points = trained
            .epochs
            .iter()
            .enumerate()
            .map(|(k, epoch)| (k as f64 + 1.0, 100.0 * epoch[which][0]));
        let points: Vec<(f64, f64)> = points.collect();
        let line =
            LinePlot::new().with_data(points.clone()).with_color(colour).with_stroke_width(2.0);
        let marks = ScatterPlot::new()
            .with_data(points)
            .with_color(colour)
            .with_marker(marker)
            .with_size(5.0);
        [Plot::from(line), marks.with_legend(name).into()]
    };
    let mut accuracy = Vec::from(curve(0, "training images, while trained on", "#0072b2", MarkerShape::Circle));
    accuracy.extend(curve(1, "test images", "#d55e00", MarkerShape::Square));
    let layouts = vec![
        layout(&loss, "Loss", "step", "cross-entropy").with_y_axis_min(0.0),
        layout(&accuracy, "Accuracy after each epoch", "epoch", "% right").with_x_tick_step(1.0),
    ];
    panels(title, vec![loss, accuracy], layouts)
}

/// Charts side by side, with one legend.
fn panels(title: &str, plots: Vec<Vec<Plot>>, layouts: Vec<Layout>) -> Figure {
    let font = "Arial, 'Liberation Sans', Helvetica, sans-serif";
    let layouts = layouts.into_iter().map(|layout| layout.with_font_family(font)).collect();
    let (count, width) = (plots.len(), 860.0 / plots.len() as f64);
    let figure = kuva::render::figure::Figure::new(1, count).with_title(title).with_title_size(16);
    let figure = figure.with_cell_size(width, 320.0).with_plots(plots).with_layouts(layouts);
    Figure(
        kuva::backend::svg::SvgBackend::new()
            .render_scene(&figure.with_shared_legend_bottom().render()),
    )
}

curves_of(&format!("MLP with {:?} hidden units", sizes.mlps[0]), &mlps[0])

// %% [markdown]
// What to look for: whether the loss falls fastest in the first steps, and whether the accuracy on the training images rises
// where that on the test images does not follow. There the network learns these images rather than the digits; the gap
// between the two curves is the over-fitting.
//
// **Four more networks**, with 3, 4, 5 and 7 hidden layers. Depth and size are separated: at the assignment's sizes, those
// with 2 and 4 hidden layers have nearly the same number of parameters, and so have those with 3, 5 and 7.

// %%
/// A trained network in numbers.
#[derive(Clone)]
struct Summary {
    kind: &'static str,
    name: String,
    depth: usize,
    parameters: usize,
    train_accuracy: f64,
    test_accuracy: f64,
    train_seconds: f64,
    test_seconds: f64,
}

fn summary(kind: &'static str, name: String, depth: usize, trained: &Trained) -> Summary {
    Summary {
        kind,
        name,
        depth,
        parameters: trained.model.spec().plan().unwrap().parameters,
        train_accuracy: trained.train_accuracies[0],
        test_accuracy: trained.epochs.last().unwrap()[1][0],
        train_seconds: trained.train_seconds,
        test_seconds: trained.test_seconds,
    }
}

fn summaries(found: &[Summary], tested: usize) -> Table {
    let row = |s: &Summary| {
        vec![
            format!("{} {}", s.kind, s.name),
            s.depth.to_string(),
            s.parameters.to_string(),
            percent(s.train_accuracy),
            with_interval(s.test_accuracy, tested),
            format!("{:.2}", s.train_seconds),
            format!("{:.3}", s.test_seconds),
        ]
    };
    let head = [
        "network",
        "depth",
        "parameters",
        "training accuracy",
        "test accuracy",
        "training, s",
        "testing, s",
    ];
    table(&head, found.iter().map(row).collect())
}

for hidden in &sizes.mlps[1..] {
    mlps.push(fit_digits(&mlp(hidden), &train, &test, sizes.recipe));
}
let mlp_summaries: Vec<Summary> = mlps
    .iter()
    .zip(sizes.mlps)
    .map(|(trained, hidden)| summary("MLP", format!("{hidden:?}"), hidden.len(), trained))
    .collect();
summaries(&mlp_summaries, test.len())

// %%
/// A number in few letters.
fn short(value: f64) -> String {
    match value {
        1e6.. => format!("{} M", (value / 1e5).round() / 10.0),
        1e3.. => format!("{} k", (value / 100.0).round() / 10.0),
        _ => ((value * 1000.0).round() / 1000.0).to_string(),
    }
}

/// Test accuracy against depth, parameters and training time, a marker for each kind of network; bars are intervals.
fn against(title: &str, found: &[Summary], tested: usize) -> Figure {
    let kinds = [("MLP", "#0072b2", MarkerShape::Circle), ("CNN", "#d55e00", MarkerShape::Square)];
    let by: [(&str, fn(&Summary) -> f64); 3] = [
        ("depth", |s| s.depth as f64),
        ("parameters", |s| s.parameters as f64),
        ("seconds of training", |s| s.train_seconds),
    ];
    let panel = |(name, x): (&str, fn(&Summary) -> f64)| -> (Vec<Plot>, Layout) {
        let kinds = kinds.iter().filter(|(kind, ..)| found.iter().any(|s| s.kind == *kind));
        let plots = kinds.map(|&(kind, colour, marker)| {
            let of: Vec<&Summary> = found.iter().filter(|s| s.kind == kind).collect();
            let points: Vec<(f64, f64)> =
                of.iter().map(|s| (x(s), 100.0 * s.test_accuracy)).collect();
            let bar = |s: &&Summary| {
                let [low, high] = interval(s.test_accuracy, tested);
                (100.0 * (s.test_accuracy - low), 100.0 * (high - s.test_accuracy))
            };
            let bars: Vec<(f64, f64)> = of.iter().map(bar).collect();
            let plot =
                ScatterPlot::new().with_data(points).with_y_err_asymmetric(bars).with_color(colour);
            let plot = plot.with_marker(marker).with_size(5.0);
            // The first panel says what the colours are, the others the depths.
            let depths: Vec<String> = of.iter().map(|s| s.depth.to_string()).collect();
            match name {
                "depth" => plot.with_legend(kind).into(),
                _ => plot.with_labels(depths).with_repel_labels().into(),
            }
        });
        let plots: Vec<Plot> = plots.collect();
        let layout = layout(&plots, "", name, "% of test images right");
        if name == "depth" {
            return (plots, layout.with_x_tick_step(1.0));
        }
        let (least, most) = found
            .iter()
            .map(x)
            .fold((f64::MAX, 0.0_f64), |(least, most), x| (least.min(x), most.max(x)));
        let layout = layout.with_log_x().with_x_axis_min(0.6 * least).with_x_axis_max(1.7 * most);
        (plots, layout.with_x_tick_format(TickFormat::Custom(std::sync::Arc::new(short))))
    };
    let (plots, layouts) = by.into_iter().map(panel).unzip();
    panels(title, plots, layouts)
}

against("MLPs: test accuracy with 95 % intervals", &mlp_summaries, test.len())

// %% [markdown]
// **Does depth help, or size?** Compare networks with the same number of parameters: if their intervals overlap widely, the
// difference is within the noise of a test set of this size, and one seed each cannot rank them. Look for whether the
// training time grows in proportion to the parameters, and whether more layers of the same total size cost time or accuracy:
// gradients then pass through more ReLUs. Two hidden layers can express much of what images of this kind need; the table
// shows whether more layers helped here.

// %% [markdown]
// ---
// ## Task 4: convolutional networks
//
// A convolution slides $F$ filters of $4 \times 4$ pixels over the image: with $s$ its stride and $C$ channels in,
//
// $$y_{r,c,f} = b_f + \sum_{i,j=0}^{3} \sum_{k=1}^{C} w_{i,j,k,f}\; x_{s r + i - t,\; s c + j - l,\; k} ,$$
//
// where $t$ and $l$ are the numbers of zeros above and to the left of the image; `same` padding adds as many as give
// $\lceil \text{side} / s \rceil$ pixels per side. Each filter is used at every position, so that it responds to a stroke
// wherever it is, with $16 C + 1$ parameters per filter. After the convolutions, each with a ReLU, a dense layer gives the
// scores.

// %%
use inkling::Padding;

/// A convolution with square kernels, and its ReLU.
fn convolution(filters: usize, kernel: usize, stride: usize) -> [LayerSpec; 2] {
    let (kernel_size, stride, padding) = ([kernel; 2], [stride; 2], Padding::Same);
    let initializer = Initializer::HeUniform;
    [LayerSpec::Conv2d { filters, kernel_size, stride, padding, initializer }, layers::relu()]
}

/// A convolutional network for the ten digits.
fn cnn(of: &Convolutions) -> ModelSpec {
    let shapes = of.filters.iter().zip(of.kernels).zip(of.strides);
    let convolutions =
        shapes.flat_map(|((&filters, &kernel), &stride)| convolution(filters, kernel, stride));
    for_digits(convolutions.chain([layers::flatten()]).collect())
}

assert_eq!(cnn(&BRIEF.cnns[0]).plan().unwrap().parameters, 227_306);
layer_table(&cnn(&BRIEF.cnns[0]))

// %%
let mut cnns: Vec<Trained> = vec![fit_digits(&cnn(&sizes.cnns[0]), &train, &test, sizes.recipe)];
println!(
    "filters {:?}: right on {} of the training and {} of the test images",
    sizes.cnns[0].filters,
    percent(cnns[0].train_accuracies[0]),
    with_interval(cnns[0].epochs.last().unwrap()[1][0], test.len())
);
curves_of(&format!("CNN with {:?} filters", sizes.cnns[0].filters), &cnns[0])

// %% [markdown]
// **Four more**, with 1, 2, 4 and 5 convolutions. At the assignment's sizes, those with 1, 2 and 5 have about the same number
// of parameters, and so have those with 3 and 4.

// %%
for convolutions in &sizes.cnns[1..] {
    cnns.push(fit_digits(&cnn(convolutions), &train, &test, sizes.recipe));
}
let mut cnn_summaries: Vec<Summary> = cnns
    .iter()
    .zip(sizes.cnns)
    .map(|(trained, of)| summary("CNN", format!("{:?}", of.filters), of.filters.len(), trained))
    .collect();
cnn_summaries.sort_by_key(|s| s.depth);
summaries(&cnn_summaries, test.len())

// %%
against("CNNs: test accuracy with 95 % intervals", &cnn_summaries, test.len())

// %% [markdown]
// **CNNs and MLPs compared.** All ten networks were trained on the same images equally often, in the same order.

// %%
let all: Vec<Summary> = mlp_summaries.iter().chain(&cnn_summaries).cloned().collect();
against("MLPs and CNNs: test accuracy with 95 % intervals", &all, test.len())

// %%
fn compare(mlp: &Summary, cnn: &Summary, tested: usize) {
    for s in [mlp, cnn] {
        println!(
            "{} {}: {}, {} parameters, {:.2} s of training, {:.3} s of testing",
            s.kind,
            s.name,
            with_interval(s.test_accuracy, tested),
            s.parameters,
            s.train_seconds,
            s.test_seconds,
        );
    }
    let times = |of: fn(&Summary) -> f64| of(mlp) / of(cnn);
    println!(
        "the MLP beside the CNN: {:.2} times the errors, {:.2} the parameters, {:.2} the training time",
        times(|s| 1.0 - s.test_accuracy),
        times(|s| s.parameters as f64),
        times(|s| s.train_seconds),
    );
}

// The assignment's own two.
compare(&mlp_summaries[0], cnn_summaries.iter().find(|s| s.depth == 3).unwrap(), test.len());

// %% [markdown]
// The structure of a CNN contains what an MLP has to learn: that neighbouring pixels belong together, and that a stroke is
// a stroke wherever it is. So it can reach the same accuracy with fewer parameters; the lines above show whether it did
// here. It need not be faster: each weight of a filter is used at every position of the image, so a parameter of a
// convolution costs up to hundreds of multiplications where one of a dense layer costs one, and training and testing time
// depend on the multiplications rather than on the parameters.

// %% [markdown]
// ---
// ## Task 5: what the CNN has learned to see
//
// **Filters** of the network with three convolutions, each layer on a grid: in the first a tile for each filter, in the
// others a row for each filter and a column for each of its input channels (at most 24 of each). Those of the first layer
// act on the image itself and can be interpreted: red beside blue responds to an edge in that direction, red between blue to
// a stroke, red alone to a spot of ink. Deeper ones act on channels, and can only be interpreted together with these.

// %%
use inkling_engine::{Network, StateKind};

/// Small tiles as one picture, so many in a row, with a line between them.
fn mosaic(label: impl Into<String>, tiles: &[Tile], per_row: usize) -> Tile {
    let [height, width] = tiles[0].size;
    let size = [
        (height + 1) * tiles.len().div_ceil(per_row) + 1,
        (width + 1) * per_row.min(tiles.len()) + 1,
    ];
    let mut colours = vec![[0xff, 0xff, 0xff]; size[0] * size[1]];
    for (i, tile) in tiles.iter().enumerate() {
        let corner = (1 + (height + 1) * (i / per_row)) * size[1] + 1 + (width + 1) * (i % per_row);
        for (row, line) in tile.colours.chunks(width).enumerate() {
            colours[corner + row * size[1]..][..width].copy_from_slice(line);
        }
    }
    Tile { label: label.into(), size, colours }
}

/// Pictures under each other, each stretched to the same width.
fn stack(title: &str, tiles: &[Tile], width: f64) -> Figure {
    let (mut y, mut content) = (28.0, String::new());
    for tile in tiles {
        let scale = (width / tile.size[1] as f64).min(5.0);
        content += &format!(
            "<text x='4' y='{}'>{}</text>{}",
            y + 10.0,
            tile.label,
            tile.svg(4.0, y + 16.0, scale)
        );
        y += 28.0 + scale * tile.size[0] as f64;
    }
    drawing(title, width + 8.0, y, &content)
}

/// The filters of each convolution.
fn filters(network: &Network) -> Vec<Tile> {
    let kernels = network.state_dict(StateKind::Values).into_iter().filter(|array| array.shape.len() == 4);
    kernels
        .map(|array| {
            let [height, width, channels, filters] = array.shape[..] else {
                unreachable!("filters have four sides")
            };
            let (rows, columns) = (filters.min(24), channels.min(24));
            let weights = |filter: usize, channel: usize| -> Vec<f32> {
                (0..height * width)
                    .map(|place| array.values[(place * channels + channel) * filters + filter])
                    .collect()
            };
            let label =
                format!("{}: {filters} filters of {height} × {width} × {channels}", array.name);
            if channels == 1 {
                let tiles: Vec<Tile> =
                    (0..filters).map(|filter| diverging("", width, &weights(filter, 0))).collect();
                return mosaic(label, &tiles, 16);
            }
            let places =
                (0..rows).flat_map(|filter| (0..columns).map(move |channel| (filter, channel)));
            let tiles: Vec<Tile> = places
                .map(|(filter, channel)| diverging("", width, &weights(filter, channel)))
                .collect();
            mosaic(label, &tiles, columns)
        })
        .collect()
}

stack(
    "Filters: red where they want ink, blue where they want none",
    &filters(cnns[0].model.network()),
    700.0,
)

// %% [markdown]
// **Activations** of each convolution for a 2 and for a 9 of the test images: a tile for each channel, from black for zero to
// white for the layer's largest.

// %%
/// The outputs of the convolutions for one image.
fn activations(model: &mut Model, pixels: &[u8]) -> Vec<Tile> {
    let ink: Vec<f32> = pixels.iter().map(|&p| f32::from(p)).collect();
    let mut tiles = vec![grey("the image", 28, &ink, [0.0, 255.0])];
    for layer in model.layers().iter().filter(|layer| layer.in_trunk()) {
        let inkling::schema::Shape::Image { height, width, channels } = layer.shape else { continue };
        let y = model.layer_output(&layer.name, pixels).unwrap();
        let most = y.iter().fold(0.0_f32, |most, &value| most.max(value));
        let channel = |k: usize| -> Vec<f32> { y.iter().skip(k).step_by(channels).copied().collect() };
        let silent = (0..channels).filter(|&k| channel(k).iter().all(|&value| value == 0.0)).count();
        let channel_tiles: Vec<Tile> =
            (0..channels).map(|k| grey("", width, &channel(k), [0.0, most])).collect();
        let label =
            format!("{}: {channels} channels of {height} × {width}, {silent} of them silent", layer.name);
        tiles.push(mosaic(label, &channel_tiles, 16));
    }
    tiles
}

/// The first image of this class.
fn image_of(samples: &Samples, class: u8) -> &[u8] {
    samples.images.image(samples.labels.iter().position(|&label| label == class).unwrap())
}

stack("A 2", &activations(&mut cnns[0].model, image_of(&test, 2)), 700.0)

// %%
stack("A 9", &activations(&mut cnns[0].model, image_of(&test, 9)), 700.0)

// %% [markdown]
// What to look for: whether channels of the first layer keep the shape of the digit, each for another kind of edge; whether
// deeper layers are coarser in position and more particular in pattern, with most of a channel dark; and which channels are
// bright for the 2 and not for the 9. A channel that is all dark did not find its pattern in this image.
//
// **Dreams.** Which image raises the network's score for a 2 the most? Gradient ascent on the image searches for it:
//
// $$x^* = \arg\max_x\; z_c(x) - \alpha \lVert x \rVert^2 - \beta \sum_{\text{neighbours}} (x_p - x_q)^2 , \qquad x = \sigma(u),$$
//
// where $z_c$ is the score of class $c$, $\sigma$ keeps pixels between paper and ink, $\alpha$ penalises ink and $\beta$
// roughness, and Adam updates $u$. Before each step, the image is shifted at random by up to two pixels, so that only
// patterns survive that do not depend on exact positions. With $\alpha = \beta = 0$ and without shifts, this is the plain
// method.

// %%
use inkling_engine::OptimizedTensor;

/// An image of 28 × 28, shifted down and right; what leaves at one side enters at the other.
fn shifted(x: &[f32], [down, right]: [usize; 2]) -> Vec<f32> {
    (0..784)
        .map(|place| x[(place / 28 + 28 - down) % 28 * 28 + (place % 28 + 28 - right) % 28])
        .collect()
}

/// How a dream is kept smooth and sparse: the weights of ink and roughness, and the largest shift.
#[derive(Clone, Copy)]
struct Taste {
    ink: f32,
    roughness: f32,
    shift: u32,
}

/// Images that raise the scores of these classes, one for each, from the same faint noise: [classes, 784].
fn dream(model: &mut Model, classes: &[usize], steps: usize, taste: Taste) -> Vec<f32> {
    let network = model.network_mut();
    let scores = network.layer_handles().pop().unwrap();
    let mut workspace = network.workspace(classes.len(), true);
    let mut random = RngStream::new(SEED, "notebook/dream");
    let noise: Vec<f32> = (0..784).map(|_| 0.2 * (random.uniform() - 0.5)).collect();
    let mut u = OptimizedTensor::new(&noise.repeat(classes.len()), &ADAM);
    let ink_of = |u: &[f32]| -> Vec<f32> { u.iter().map(|u| 1.0 / (1.0 + (-u).exp())).collect() };
    for _ in 0..steps {
        let x = ink_of(u.values());
        let shift = [0; 2].map(|_: usize| random.random_range(2 * taste.shift + 1) as usize);
        let seen: Vec<f32> = x.chunks(784).flat_map(|image| shifted(image, shift)).collect();
        network.forward(&seen, false, &mut workspace);
        let mut dx = vec![0.0; seen.len()];
        network.input_gradient(&seen, &scores, &mut workspace, &mut dx, |_, slope| {
            slope.chunks_mut(10).zip(classes).for_each(|(slope, &class)| slope[class] = 1.0);
        });
        let back = shift.map(|pixels| (28 - pixels) % 28);
        let mut descent: Vec<f32> =
            dx.chunks(784).flat_map(|gradient| shifted(gradient, back)).collect();
        for (image, descent) in x.chunks(784).zip(descent.chunks_mut(784)) {
            for (place, d) in descent.iter_mut().enumerate() {
                let (row, column) = (place / 28, place % 28);
                let neighbours = [(row > 0, -28), (row < 27, 28), (column > 0, -1), (column < 27, 1)];
                let beside = neighbours
                    .iter()
                    .filter(|(inside, _)| *inside)
                    .map(|(_, step)| image[place.wrapping_add_signed(*step)]);
                let rough: f32 = beside.map(|other| image[place] - other).sum();
                let ascent = *d - 2.0 * taste.ink * image[place] - 2.0 * taste.roughness * rough;
                *d = -ascent * image[place] * (1.0 - image[place]);
            }
        }
        u.descend(&descent, 0.1);
    }
    ink_of(u.values())
}

const PLAIN: Taste = Taste { ink: 0.0, roughness: 0.0, shift: 0 };
const SMOOTH: Taste = Taste { ink: 0.01, roughness: 0.1, shift: 2 };

let classes: Vec<usize> = (0..10).collect();
let plain_dreams: Vec<f32> = dream(&mut cnns[0].model, &classes, sizes.dream_steps, PLAIN);
let smooth_dreams: Vec<f32> =
    dream(&mut cnns[0].model, &classes, sizes.dream_steps, SMOOTH);
let tiles: Vec<Tile> = [("plain", &plain_dreams), ("smooth", &smooth_dreams)]
    .iter()
    .flat_map(|(how, dreams)| {
        [2, 9].map(|class| {
            grey(format!("{class}, {how}"), 28, &dreams[784 * class..][..784], [0.0, 1.0])
        })
    })
    .collect();
gallery("Dreams of a 2 and of a 9", &tiles, 4, 6.0)

// %%
let tiles: Vec<Tile> = (0..10)
    .map(|class| grey(class.to_string(), 28, &smooth_dreams[784 * class..][..784], [0.0, 1.0]))
    .collect();
gallery("Smooth dreams of every digit", &tiles, 10, 3.0)

// %% [markdown]
// **Do they mean anything?** What raises the score of one network may be a weakness of that network alone. So an independently
// trained network judges the dreams: the MLP of task 3, which has no filters.

// %%
fn judged(dreamer: &mut Model, judge: &mut Model, dreams: [(&str, &[f32]); 2]) -> Table {
    let mut rows = Vec::new();
    for (how, dreams) in dreams {
        // [10 dreams, 10 classes].
        let [own, other] =
            [&mut *dreamer, &mut *judge].map(|model| model.probabilities(Pixels::Floats(dreams)).unwrap());
        rows.extend([2, 9].map(|class: usize| {
            let of = |probabilities: &[f32]| percent(f64::from(probabilities[10 * class + class]));
            vec![class.to_string(), how.into(), of(&own), of(&other)]
        }));
    }
    table(
        &["digit", "dream", "probability, the CNN that dreams", "probability, the MLP that judges"],
        rows,
    )
}

judged(
    &mut cnns[0].model,
    &mut mlps[0].model,
    [("plain", &plain_dreams), ("smooth", &smooth_dreams)],
)

// %% [markdown]
// A plain dream can be a sum of many small patterns, each of which adds to the score; such an image can convince the network
// that it was made for, look like noise to us, and not convince another network. The penalties on ink and roughness and the
// shifts suppress such patterns, so that strokes can remain. What to look for: ink that comes back in the dreams of a class
// from one seed to the next; in a 2, the turn at the top right and the stroke along the bottom, and in a 9, the ring at the
// top and the stroke that goes down from it, as there they differ from the digits most like them; parts that appear twice
// or in the wrong place, which suggest that the network knows the parts better than their arrangement; and dreams with
// which the judge does not agree, which may be peculiar to this network.

// %% [markdown]
// ---
// ## Task 6: two tasks for one network
//
// Each image of Fashion-MNIST has an item (ten classes) and a group: shoes, gendered, unisex. The group follows from the
// item.

// %%
const ITEMS: [&str; 10] = [
    "T-shirt",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
];
const GROUPS: [&str; 3] = ["shoes", "gendered", "unisex"];

fn group_of(item: u8) -> u8 {
    match item {
        5 | 7 | 9 => 0,
        3 | 6 | 8 => 1,
        _ => 2,
    }
}

/// Images with the labels of both tasks.
struct Garments {
    samples: Samples,
    /// Item and group of each image.
    labels: [Vec<u8>; 2],
}

fn with_groups(samples: Samples) -> Garments {
    let items = samples.labels.clone();
    let groups = items.iter().map(|&item| group_of(item)).collect();
    Garments { samples, labels: [items, groups] }
}

let fashion: (Samples, Samples) = load("fashion-mnist", sizes.images);
let fashion_train: Garments = with_groups(fashion.0);
let fashion_test: Garments = with_groups(fashion.1);

let tiles: Vec<Tile> = (0..10)
    .map(|item: u8| {
        let ink: Vec<f32> =
            image_of(&fashion_train.samples, item).iter().map(|&p| f32::from(p)).collect();
        grey(
            format!("{}: {}", ITEMS[usize::from(item)], GROUPS[usize::from(group_of(item))]),
            28,
            &ink,
            [0.0, 255.0],
        )
    })
    .collect();
gallery("An image of each item, and its group", &tiles, 5, 3.0)

// %% [markdown]
// **6.1 Single-task networks.** Convolutions of $3 \times 3$ with ReLU, the first two each with a $2 \times 2$ max pooling
// after it, then dense layers. **6.2 The two-headed network** shares the convolutions and the first dense layer; each task
// has dense layers of its own. With $L_\text{item}$ and $L_\text{group}$ the cross-entropies of the heads,
//
// $$L = \lambda L_\text{item} + (1 - \lambda) L_\text{group},$$
//
// so the gradient of a shared weight is $\lambda\, \partial L_\text{item} + (1 - \lambda)\, \partial L_\text{group}$, and
// that of a head's own weights is the gradient of its own loss, scaled; Adam divides this scale out as long as it is not zero.

// %%
/// A network for garments with a head for each (name, number of classes).
fn garments(
    &(filters, shared, own): &(&[usize], usize, &[usize]),
    heads: &[(&str, usize)],
) -> ModelSpec {
    let pool = || layers::max_pool(2);
    let mut trunk = Vec::new();
    for (k, &filters) in filters.iter().enumerate() {
        trunk.extend(convolution(filters, 3, 1));
        trunk.extend((k < 2).then(pool));
    }
    trunk.push(layers::flatten());
    trunk.extend(dense(shared));
    let head = |&(name, classes): &(&str, usize)| {
        let hidden = own.iter().flat_map(|&units| dense(units));
        Head::new(name, hidden.chain([layers::dense(classes)]).collect())
    };
    ModelSpec { input: [28, 28, 1], trunk, heads: heads.iter().map(head).collect() }
}

const ITEM: (&str, usize) = ("item", 10);
const GROUP: (&str, usize) = ("group", 3);

assert_eq!(garments(&BRIEF.two_tasks, &[ITEM]).plan().unwrap().parameters, 23_080_598);
assert_eq!(garments(&BRIEF.two_tasks, &[ITEM, GROUP]).plan().unwrap().parameters, 26_395_689);
layer_table(&garments(&BRIEF.two_tasks, &[ITEM, GROUP]))

// %% [markdown]
// Two single-task networks, then the two-headed one for five $\lambda$, all from the same weights and with the same batches.

// %%
/// What a network of task 6 reached on the test images: for each task, or none where it was not trained for it.
#[derive(Clone)]
struct Outcome {
    name: String,
    lambda: Option<f64>,
    item: Option<f64>,
    group: Option<f64>,
    seconds: f64,
}

/// Both single-task networks, and the two-headed one for each λ.
fn two_tasks(train: &Garments, test: &Garments, lambdas: &[f64], sizes: &Sizes) -> Vec<Outcome> {
    let train_and_fit = |heads: &[(&str, usize)], weights: &[f32], tasks: std::ops::Range<usize>| {
        // The images with the labels of these tasks.
        let [train, test] = [train, test].map(|of| {
            (&of.samples.images.pixels[..], of.labels[tasks.clone()].iter().map(Labels::from).collect())
        });
        fit(&garments(&sizes.two_tasks, heads), weights, [&train, &test], sizes.two_tasks_recipe)
    };
    let last = |trained: &Trained, head: usize| Some(trained.epochs.last().unwrap()[1][head]);
    let mut outcomes = Vec::new();

    let mut alone = train_and_fit(&[ITEM], &[1.0], 0..1);
    // The group comes for free with the item.
    let items = alone.model.predict(&test.samples.images.pixels[..]).unwrap();
    let right = items.iter().zip(&test.labels[1]).filter(|(item, group)| group_of(**item as u8) == **group);
    let looked_up = Some(right.count() as f64 / items.len() as f64);
    let (name, seconds) = ("item alone, the group looked up".into(), alone.train_seconds);
    outcomes.push(Outcome { name, lambda: None, item: last(&alone, 0), group: looked_up, seconds });

    let alone = train_and_fit(&[GROUP], &[1.0], 1..2);
    let (name, seconds) = ("group alone".into(), alone.train_seconds);
    outcomes.push(Outcome { name, lambda: None, item: None, group: last(&alone, 0), seconds });

    for &lambda in lambdas {
        let both = train_and_fit(&[ITEM, GROUP], &[lambda as f32, 1.0 - lambda as f32], 0..2);
        outcomes.push(Outcome {
            name: format!("both, λ = {lambda}"),
            lambda: Some(lambda),
            item: last(&both, 0).filter(|_| lambda > 0.0),
            group: last(&both, 1).filter(|_| lambda < 1.0),
            seconds: both.train_seconds,
        });
    }
    outcomes
}

let outcomes: Vec<Outcome> =
    two_tasks(&fashion_train, &fashion_test, &[0.0, 0.25, 0.5, 0.75, 1.0], &sizes);

// %%
fn outcome_table(outcomes: &[Outcome], tested: usize) -> Table {
    let shown = |accuracy: Option<f64>| {
        accuracy.map_or("not trained".into(), |accuracy| with_interval(accuracy, tested))
    };
    let row = |o: &Outcome| {
        vec![o.name.clone(), shown(o.item), shown(o.group), format!("{:.1}", o.seconds)]
    };
    table(
        &["network", "item, test accuracy", "group, test accuracy", "training, s"],
        outcomes.iter().map(row).collect(),
    )
}

/// Share of the most common label.
fn majority(labels: &[u8]) -> f64 {
    let count = |class: u8| labels.iter().filter(|&&label| label == class).count();
    (0..10).map(count).max().unwrap() as f64 / labels.len() as f64
}

println!(
    "always the most common answer: item {}, group {}",
    percent(majority(&fashion_test.labels[0])),
    percent(majority(&fashion_test.labels[1]))
);
outcome_table(&outcomes, fashion_test.samples.len())

// %%
/// Accuracy against λ for one task, beside the network that was trained for it alone.
fn by_lambda(
    outcomes: &[Outcome],
    alone: &str,
    of: fn(&Outcome) -> Option<f64>,
    tested: usize,
) -> Vec<Plot> {
    let single = 100.0 * outcomes.iter().find(|o| o.name.starts_with(alone)).and_then(of).unwrap();
    let found: Vec<(f64, f64)> = outcomes.iter().filter_map(|o| Some((o.lambda?, of(o)?))).collect();
    let bar = |&(_, accuracy): &(f64, f64)| {
        let [low, high] = interval(accuracy, tested);
        (100.0 * (accuracy - low), 100.0 * (high - accuracy))
    };
    let bars: Vec<(f64, f64)> = found.iter().map(bar).collect();
    let points: Vec<(f64, f64)> =
        found.iter().map(|&(lambda, accuracy)| (lambda, 100.0 * accuracy)).collect();
    let across = LinePlot::new()
        .with_data(vec![(0.0, single), (1.0, single)])
        .with_color("#777777")
        .with_dashed();
    let line = LinePlot::new().with_data(points.clone()).with_color("#0072b2").with_stroke_width(1.5);
    let marks = ScatterPlot::new()
        .with_data(points)
        .with_y_err_asymmetric(bars)
        .with_color("#0072b2")
        .with_size(5.0);
    vec![
        across.with_legend("trained alone").into(),
        line.into(),
        marks.with_legend("two-headed").into(),
    ]
}

fn both_by_lambda(outcomes: &[Outcome], tested: usize) -> Figure {
    let plots = vec![
        by_lambda(outcomes, "item alone", |o| o.item, tested),
        by_lambda(outcomes, "group alone", |o| o.group, tested),
    ];
    let panel = |(plots, title): (&Vec<Plot>, &str)| {
        let layout = layout(plots, title, "λ, the weight of the item loss", "% of test images right");
        layout.with_x_axis_min(-0.05).with_x_axis_max(1.05)
    };
    let layouts = plots.iter().zip(["Item", "Group"]).map(panel).collect();
    panels("Two-headed networks for five λ, with 95 % intervals", plots, layouts)
}

both_by_lambda(&outcomes, fashion_test.samples.len())

// %% [markdown]
// **What is special about λ = 0 and λ = 1.** The loss of one head then has no weight: no gradient reaches that head, it keeps
// its initial weights, and its answers are arbitrary. The shared layers are trained for the other task alone, so the network
// *is* the single-task one with a part that is not used: from the same weights and with the same batches, it ends with
// exactly the same accuracy in the table. It shows nothing about how the tasks affect each other, and its untrained head is
// no example of negative transfer.
//
// **Comparison with the single-task networks.** A difference that is smaller than the intervals is within the noise of the
// test images, and another seed could change it as much. The group has fewer classes, and the item determines the group; so
// the item's gradient can teach the shared layers what the group needs, while the group's may add little to what the item
// needs. Look for whether either head gains or loses, and for the balance between them: a head with little weight has
// little influence on what the shared layers learn.
//
// **For multi-task learning:** one network, one pass and nearly one set of parameters do the work of two; what one task
// teaches can help another that has few labels; the second loss can keep the shared layers from fitting one task's noise.
// **Against it:** λ has to be chosen, and tasks that need different features pull the shared layers in different directions;
// the tasks cannot be stopped, changed or trained on different images independently; and if one task follows from the
// other, as here, the simplest way to the second is to look it up.

// %% [markdown]
// ---
// ## All results

// %%
fn results(perceptrons: &[Perceptron], networks: &[Summary], outcomes: &[Outcome]) -> Table {
    let mean = perceptrons.iter().map(|p| p.test_accuracy).sum::<f64>() / perceptrons.len() as f64;
    let mut rows = vec![vec!["perceptrons, mean of all pairs".into(), percent(mean)]];
    rows.extend(
        networks.iter().map(|s| vec![format!("{} {}", s.kind, s.name), percent(s.test_accuracy)]),
    );
    for o in outcomes {
        for (task, accuracy) in [("item", o.item), ("group", o.group)] {
            rows.extend(
                accuracy.map(|accuracy| vec![format!("{task}: {}", o.name), percent(accuracy)]),
            );
        }
    }
    table(&["what", "test accuracy"], rows)
}

results(&perceptrons, &all, &outcomes)
