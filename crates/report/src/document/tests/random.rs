//! The report of random results: its sentences are whole, and say what the facts say.

use rayon::prelude::*;

use super::text::blocks;
use super::*;
use crate::PeerFound;
use crate::figures::tests::{apart, sound};
use crate::fixtures::random::{self, Chance, SHAPE};

/// How many results; more with `INKLING_REPORTS`.
const REPORTS: u64 = 200;

pub(crate) fn random_results(seed: u64) -> Results {
    let mut results = random_tasks(seed);
    // Generators of their own, so that they change nothing else.
    random::vary_seeds(&mut results, &mut Chance::new(seed ^ 0x5eed));
    let page = fixtures::page::page(&results, &mut Chance::new(seed ^ 0xa5a5));
    Results { page, ..results }
}

fn random_tasks(seed: u64) -> Results {
    let mut chance = Chance::new(seed);
    let data = random::data(&mut chance);
    let classes: Vec<&str> = data.classes.iter().map(String::as_str).collect();
    let mut found = results(&classes, PerceptronRule::Online);
    // Half of the studies have one task alone, by turns; the others have any.
    let alone = seed.is_multiple_of(2).then_some(seed / 2 % 7);
    let has = |task: u64, chance: &mut Chance| alone.map_or(chance.percent(70), |alone| alone == task);
    let keep = [0, 1, 2, 3, 4, 5].map(|task| has(task, &mut chance));
    for run in &mut found.record.runs {
        if let RunSpec::Pca(spec) = &mut run.spec {
            spec.data.set = "leaves".into();
        }
    }
    // Generators of their own, so that they change nothing that follows.
    let mut of_sweep = Chance::new(seed.rotate_left(32) ^ 0x5ee9);
    found.sweep = of_sweep.percent(40).then(|| fixtures::sweep::random(&data, &mut of_sweep));
    found.peers = random::peers(&mut Chance::new(!seed));
    found.record.data = BTreeMap::from([("leaves".into(), data.clone())]);
    // Components and perceptrons are made up for images of this size.
    let small = DataSetFacts { height: 4, width: 4, ..data.clone() };
    found.pca = found.pca.filter(|_| keep[0]);
    found.perceptrons = found.perceptrons.filter(|_| keep[1]);
    let in_colour = chance.percent(30);
    if let Some(pca) = &mut found.pca {
        (pca.data, pca.compared_data) = (small.clone(), small.clone());
        random::vary_pca(pca, &mut chance);
        if in_colour {
            random::colour_pca(pca);
        }
    }
    if let Some(perceptrons) = &mut found.perceptrons {
        perceptrons.data = small.clone();
        random::vary_perceptrons(perceptrons, &mut chance);
        if in_colour {
            random::colour_perceptrons(perceptrons);
        }
    }
    found.mlps = keep[2].then(|| fixtures::mlps(&data, SHAPE));
    found.cnns = keep[3].then(|| fixtures::cnns(&data, SHAPE));
    for task in found.mlps.iter_mut().chain(&mut found.cnns) {
        random::vary_networks(task, &mut chance);
    }
    // Both kinds answer the same images, or other ones.
    if let (Some(mlps), Some(cnns), true) = (&found.mlps, &mut found.cnns, chance.percent(70)) {
        for network in &mut cnns.networks {
            let first = &mlps.networks[0];
            network.spec.data = first.spec.data.clone();
            network.heads[0].labels.clone_from(&first.heads[0].labels);
            network.heads[0].predictions.resize(first.heads[0].labels.len(), 0);
        }
    }
    // A network of a person's own stands alone, or with a look inside.
    if alone == Some(6) {
        found.inside = chance.percent(70).then(|| random::inside(&data, &mut chance));
        own_network(&mut found, &data, &mut chance);
        return found;
    }
    found.inside = keep[4].then(|| random::inside(&data, &mut chance));
    found.multitask = keep[5].then(|| random::multitask(&data, &mut chance));
    found
}

/// Makes the study one of a network alone.
fn own_network(found: &mut Results, data: &DataSetFacts, chance: &mut Chance) {
    let shape = Shape { networks: 1, ..SHAPE };
    let mut own = if chance.percent(50) { fixtures::mlps(data, shape) } else { fixtures::cnns(data, shape) };
    random::vary_networks(&mut own, chance);
    own.networks.truncate(1);
    let network = &mut own.networks[0];
    if let Some(validation) = &mut network.spec.training.validation {
        validation.patience = chance.percent(50).then_some(2);
    }
    let spec = network.spec.clone();
    found.record.study.network = Some(NetworkTask {
        name: network.name.clone(),
        data: "leaves".into(),
        training: spec.training,
        model: spec.model,
    });
    found.network = Some(own);
}

/// Random results whose figures are looked at; more with `INKLING_REPORTS`.
const DRAWN: u64 = 24;

#[test]
fn figures_of_random_results_are_sound_and_no_two_texts_meet() {
    let seeds = std::env::var("INKLING_REPORTS").map_or(DRAWN, |count| count.parse().unwrap());
    (0..seeds).into_par_iter().for_each(|seed| {
        for figure in crate::draw(&random_results(seed)) {
            let context = format!("{} of seed {seed}", figure.name);
            sound(&figure, &context);
            apart(&figure, &context);
        }
    });
}

/// What no whole sentence holds. A formula is a `◇`.
const BROKEN: [&str; 54] = [
    "  ",
    " ,",
    " .",
    " ;",
    ",,",
    ",.",
    ";.",
    "..",
    ":.",
    ": .",
    "( ",
    " )",
    "()",
    ", )",
    "NaN",
    "null",
    "none none",
    "(none",
    "none)",
    " inf ",
    "inf\u{202f}%",
    "of the 0",
    "of the no ",
    "all no ",
    "all zero",
    "the only no ",
    " no of ",
    "in no.",
    "in no ;",
    "one reach ",
    "one convince",
    "one differ ",
    "one are ",
    "one have ",
    "one were ",
    "one do ",
    "none differ ",
    "none reach ",
    "none have ",
    "none are significantly",
    "no are ",
    "is are",
    "the the ",
    " a a ",
    " of of ",
    " and and ",
    "and .",
    "and ,",
    ", and;",
    "(s)",
    "network differ ",
    "pair differ ",
    "zero of",
    "none is better",
];

/// Words that claim a difference or a relation.
const CLAIMS: [&str; 15] = [
    "is significantly",
    "are significantly",
    "differ significantly",
    "differs significantly from",
    "significantly commoner",
    "significantly rarer",
    "The pairs differ",
    "tends to be",
    "tend to be",
    "are more alike",
    "accuracy rises",
    "accuracy falls",
    "more similar than by chance",
    "is better than",
    "beats",
];

/// Whether some test of the facts found something.
fn anything_found(facts: &Value) -> bool {
    let above_zero = [
        "/mlps/pairs/differ",
        "/cnns/pairs/differ",
        "/compared/differ",
        "/multitask/item/differ",
        "/multitask/group/differ",
        "/multitask/changes/differ",
        "/multitask/free/own_differ",
        "/mlps/seeds/tests/differ",
        "/cnns/seeds/tests/differ",
        "/multitask/seeds/tests/differ",
        "/inside/filters_alike/clear",
        "/inside/dreams_alike/clear",
    ];
    let yes = [
        "/perceptrons/homogeneity/differ",
        "/link/plane/clear",
        "/inside/difference/alike/clear",
        "/mlps/found/depth/clear",
        "/mlps/found/size/clear",
        "/cnns/found/depth/clear",
        "/cnns/found/size/clear",
    ];
    let some = ["/inside/filters/more_edges", "/inside/filters/fewer_edges"];
    let at = |path: &str| facts.pointer(path).cloned().unwrap_or(Value::Null);
    above_zero.iter().any(|path| at(path).as_u64().unwrap_or(0) > 0)
        || yes.iter().any(|path| at(path) == true)
        || some.iter().any(|path| at(path).as_array().is_some_and(|all| !all.is_empty()))
        || ["better", "worse"].iter().any(|verdict| at("/multitask/free/verdict") == *verdict)
}

/// What is wrong with the sentence on other libraries.
fn faults_of_peers(results: &Results, text: &str) -> Vec<String> {
    let (same, other) =
        ("same counts of right answers as Inkling", "other counts of right answers than Inkling");
    let rounding = "equal but for rounding";
    let none = [same, other, rounding];
    let says = |words: &str, expected: bool| {
        let fault = || format!("the sentence on other libraries says {words:?} or not: {:?}", results.peers);
        (text.contains(words) != expected).then(fault)
    };
    let Some(Ok(found)) = &results.peers else {
        return none.iter().filter_map(|words| says(words, false)).collect();
    };
    let any = |is_so: &dyn Fn(&PeerFound) -> bool| found.libraries.iter().any(is_so);
    let mut faults = vec![
        says("On 28 November 2026, ", true),
        says(other, any(&|library| library.different.len() == library.compared)),
        says(same, any(&|library| library.different.len() < library.compared)),
        says(rounding, any(&|library| library.tied > 0)),
        says(
            "and other counts for",
            any(&|library| (1..library.compared).contains(&library.different.len())),
        ),
        says("compared network", found.libraries[0].compared < found.networks),
        says("17 exported networks", found.networks == 17),
    ];
    for PeerFound { library, compared, different, .. } in &found.libraries {
        faults.push(says(&format!("{} 2.15", library.name), true));
        if different.len() < *compared {
            faults.extend(different.iter().map(|name| says(name, true)));
        }
    }
    faults.into_iter().flatten().collect()
}

/// What is wrong with the sentences on a sweep.
fn faults_of_sweep(results: &Results, facts: &Value, text: &str) -> Vec<String> {
    let looked = "The test images were looked at once, for the chosen point:";
    let Some(sweep) = &results.sweep else {
        return [looked, "No training saw a test image"]
            .iter()
            .filter(|words| text.contains(**words))
            .map(|words| format!("there is no sweep, and yet {words:?}"))
            .collect();
    };
    let says = |words: &str, expected: bool| {
        (text.contains(words) != expected)
            .then(|| format!("the sweep says {words:?} or not: {}", facts["sweep"]))
    };
    let ranked = sweep.ranked();
    let chosen = sweep.chosen();
    let best = &facts["sweep"]["best"];
    let tied = best["tied"].as_u64().unwrap_or(0) > 0;
    let beyond = best["second"]["beyond"].as_bool();
    let leads = chosen.is_some() && ranked.len() > 1 && !tied;
    let (several, one) = (sweep.seeds.len() > 1, sweep.seeds.len() == 1);
    let mut faults = vec![
        says("No training saw a test image", true),
        says(looked, chosen.is_some()),
        says("no test image was looked at", sweep.choice.is_some() && chosen.is_none()),
        says("this accuracy is optimistic", chosen.is_some() && ranked.len() > 1),
        says("the highest accuracy: ", leads),
        says("this is more than the larger of their", leads && several && beyond == Some(true)),
        says("this is no more than the larger of their", leads && several && beyond == Some(false)),
        says("lies below this interval", leads && one && beyond == Some(true)),
        says("lies in this interval", leads && one && beyond == Some(false)),
        says("other point", chosen.is_some() && (tied || ranked.len() == 1 && sweep.points.len() > 1)),
        says("With one seed, this says nothing about other seeds.", chosen.is_some() && one),
    ];
    // Whatever the facts say: nothing has a better result than what is called the best.
    if let Some(place) = chosen {
        let accuracy = sweep.points[place].score().map(|score| score.accuracy);
        let better = ranked.iter().any(|(_, other)| Some(other.accuracy) > accuracy);
        faults.push(better.then(|| "a point is better than the chosen one".to_owned()));
    }
    faults.into_iter().flatten().collect()
}

/// What is wrong with the report of a seed.
fn faults(seed: u64) -> Vec<String> {
    let results = random_results(seed);
    let facts = serde_json::to_value(Facts::new(&results, &Rows::new(&results), &[], &[])).unwrap();
    let mut faults = Vec::new();
    let blocks = blocks(&results, &[]);
    for block in &blocks {
        let text = block.replace('\u{a0}', "~");
        for broken in BROKEN.iter().filter(|broken| text.contains(**broken)) {
            faults.push(format!("seed {seed}: {broken:?} in {text}"));
        }
    }
    // Figures take longer than words.
    let alts: Vec<String> = if seed.is_multiple_of(8) {
        crate::draw(&results).into_iter().map(|figure| figure.alt).collect()
    } else {
        Vec::new()
    };
    for alt in &alts {
        for broken in BROKEN.iter().filter(|broken| alt.contains(**broken)) {
            faults.push(format!("seed {seed}: {broken:?} in a figure's text: {alt}"));
        }
    }
    let negated = [
        "not differ significantly",
        "none differs significantly",
        "no pair of seeds is more similar than by chance",
    ];
    let all = negated.iter().fold(blocks.join("\n"), |all, words| all.replace(words, ""));
    if !anything_found(&facts) {
        for claim in CLAIMS.iter().filter(|claim| all.contains(**claim)) {
            let block = blocks.iter().rfind(|block| block.contains(*claim)).unwrap();
            faults.push(format!("seed {seed}: no test found anything, and yet {claim:?} in {block}"));
        }
    }
    let mut agree = |path: &str, value: bool, words: &str| {
        let found = facts.pointer(path).is_some_and(|found| *found == value);
        if !found && all.contains(words) {
            faults.push(format!("seed {seed}: {words:?}, though {path} is not {value}"));
        }
    };
    agree("/perceptrons/homogeneity/differ", true, "The pairs differ");
    agree("/pca/separability/chance/unlikely", true, "a certificate says something");
    agree("/pca/separability/chance/certain", true, "a certificate says little");
    agree("/link/plane/clear", true, "tend to be harder");
    agree("/inside/difference/alike/clear", true, "are more alike");
    agree("/compared/same_data", true, "of a CNN and an MLP");
    agree("/compared/same_training", true, "training are those of Task 3");
    for (task, name) in [("mlps", "MLPs"), ("cnns", "CNNs"), ("multitask", "jointly trained heads")] {
        let tests = facts.pointer(&format!("/{task}/seeds/tests")).cloned().unwrap_or(Value::Null);
        let alone = all.contains("would have called");
        if !tests.is_null() && !alone {
            faults.push(format!("seed {seed}: nothing of what one seed alone would have said of {name}"));
        }
    }
    faults.extend(
        faults_of_sweep(&results, &facts, &all).into_iter().map(|fault| format!("seed {seed}: {fault}")),
    );
    faults.extend(faults_of_peers(&results, &all).into_iter().map(|fault| format!("seed {seed}: {fault}")));
    // A number of more than nine digits in a row is not legible.
    for block in &blocks {
        let digits = block.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
        if digits > 9 && !block.contains("0123456789") {
            faults.push(format!("seed {seed}: {digits} digits in a row in {block}"));
        }
    }
    faults
}

#[test]
fn random_results_give_whole_sentences_that_say_what_was_found() {
    let reports = std::env::var("INKLING_REPORTS").ok().and_then(|count| count.parse().ok());
    let faults: Vec<String> = (0..reports.unwrap_or(REPORTS)).into_par_iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
