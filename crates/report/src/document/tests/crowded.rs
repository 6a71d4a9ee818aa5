//! Reports of studies that ask for much: long tables, names in any script, runs of several machines.

use typst::layout::{Frame, FrameItem};

use super::text::text_of;
use super::*;
use crate::{Program, Share, unprintable};

/// Text items of a page by how far down they stand.
fn heights(frame: &Frame, from: f64, found: &mut Vec<f64>) {
    for (point, item) in frame.items() {
        let y = from + point.y.to_pt();
        match item {
            FrameItem::Group(group) => heights(&group.frame, y, found),
            FrameItem::Text(_) => found.push(y),
            _ => {}
        }
    }
}

/// Insists that nothing but the two parts of the footer stands below the text, and gives back the number of pages.
fn whole_pages(results: &Results) -> usize {
    let (document, _) = compile::<PagedDocument>(&paper(results, &crate::draw(results))).unwrap();
    for (number, page) in document.pages().iter().enumerate() {
        let mut found = Vec::new();
        heights(&page.frame, 0.0, &mut found);
        // A4 less the lower margin of 2.5 cm.
        let below = found.iter().filter(|&&y| y > 842.0 - 70.0).count();
        assert!(below <= 2, "page {}: {below} texts lie over the footer", number + 1);
    }
    document.pages().len()
}

/// How far right texts of a page end.
fn ends(frame: &Frame, from: f64, found: &mut Vec<f64>) {
    for (point, item) in frame.items() {
        let x = from + point.x.to_pt();
        match item {
            FrameItem::Group(group) => ends(&group.frame, x, found),
            FrameItem::Text(text) => found.push(x + text.width().to_pt()),
            _ => {}
        }
    }
}

#[test]
fn names_of_sixty_letters_stay_within_the_page() {
    let long = |letter: &str| letter.repeat(60);
    let names = ["W", "m", "Ж"].map(long);
    let mut study = networks(&[&names[0], &names[1], &names[2]], Shape::SMALL);
    change(&mut study, |i, network| network.name = format!("{}{i}", "N".repeat(59)));
    let author = |name: &str| inkling_schema::Author { name: name.into(), contribution: Some(long("Q")) };
    let authors = names.iter().map(|name| author(name)).collect();
    study.record.study.report = Some(inkling_schema::ReportSpec { group: Some(1), authors });
    let both = results(&[&names[0], &names[1], &names[2]], PerceptronRule::Online);
    let study = Results { pca: both.pca, perceptrons: both.perceptrons, ..study };
    let (document, _) = compile::<PagedDocument>(&paper(&study, &crate::draw(&study))).unwrap();
    for (number, page) in document.pages().iter().enumerate() {
        let mut found = Vec::new();
        ends(&page.frame, 0.0, &mut found);
        let farthest = found.into_iter().fold(0.0, f64::max);
        // A4 less the right margin of 2.5 cm, and a point for punctuation that hangs.
        assert!(farthest < 595.3 - 70.8 + 4.0, "page {}: a text ends at {farthest}", number + 1);
    }
}

#[test]
fn tables_of_many_networks_break_over_pages() {
    let mut study = networks(&DIGITS, Shape::SMALL);
    let few = whole_pages(&study);
    for task in tasks(&mut study) {
        let made = task.networks.clone();
        task.networks = made.iter().cloned().cycle().take(34).collect();
        for (i, network) in task.networks.iter_mut().enumerate() {
            network.name = format!("network {i}");
        }
    }
    assert!(whole_pages(&study) > few + 4);
    // Long words about few networks are long tables too.
    let mut study = networks(&DIGITS, Shape::SMALL);
    change(&mut study, |_, network| network.why = "it shows something, at length. ".repeat(20));
    whole_pages(&study);
}

#[test]
fn names_in_any_script_are_typeset_whatever_fonts_there_are() {
    // What may stand in a study file is typeset as it is; what may not, and names of files, as far as it can be.
    let names = ["作者一 日本語", "🎉 ✓ ❤\u{fe0f}", "محمد", "अदिति", "e\u{301}\u{323}", "a\u{7}b\u{f1234}"];
    for name in names {
        let mut results = results(&[name, "b", "c"], PerceptronRule::Online);
        let author = inkling_schema::Author { name: name.into(), contribution: Some(name.into()) };
        results.record.study.report =
            Some(inkling_schema::ReportSpec { group: Some(1), authors: vec![author] });
        if unprintable(name).is_none() {
            let mut plain = super::results(&DIGITS[..3], PerceptronRule::Online);
            plain.record.study.report.clone_from(&results.record.study.report);
            let texts = Texts::new(&plain, &Rows::new(&plain), &crate::draw(&plain), &[]);
            let printable = Printable::new(texts.all());
            assert_eq!(printable.clean(name), name);
            typeset_with(&printable, &plain, &texts).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        results.record.preset = format!("{name}.toml");
        let figures = crate::draw(&results);
        let report = typeset(&results, &Rows::new(&results), &figures)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(report.pdf.starts_with(b"%PDF"));
        let page =
            page(&results, &Rows::new(&results), &figures, &crate::tables::draw_up(&Rows::new(&results)))
                .unwrap();
        assert!(!page.contains('\u{7}'), "a control character is in the page");
        // On a system without a single font of its own.
        let texts = Texts::new(&results, &Rows::new(&results), &figures, &[]);
        typeset_with(&Printable::plain(texts.all()), &results, &texts)
            .unwrap_or_else(|error| panic!("{name}, with the report's own fonts: {error}"));
    }
}

#[test]
fn times_of_several_machines_or_programs_are_told_and_not_compared() {
    let one = networks(&DIGITS, Shape::SMALL);
    let said = text_of(&one);
    for words in
        ["trains in", "per second of training", "The same command on the same data gives the same results"]
    {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    assert!(!said.contains("times are not compared") && said.contains("Inkling 0.0.0"));
    let names =
        |results: &Results| crate::draw(results).into_iter().map(|figure| figure.name).collect::<Vec<_>>();
    assert!(names(&one).contains(&"networks_times".to_owned()));

    let mut machines = one.clone();
    let mut other = machines.origins.machines[0].clone();
    (other.of.cpu, other.of.threads, other.runs) = ("Another CPU".into(), 2, 4);
    machines.origins.machines.push(other);
    let mut programs = one.clone();
    let older = Program { version: "0.0.0".into(), sources: None };
    programs.origins.programs.push(Share { of: older, runs: 2 });
    let mut instructions = machines.clone();
    instructions.origins.machines[1].of.instructions = "portable".into();
    for (results, told, bits) in [
        (&machines, "four runs of Another CPU (avx2), two threads", "gives the same results"),
        (&programs, "two runs of Inkling 0.0.0 (sources unknown)", "They were made by several programs"),
        (
            &instructions,
            "four runs of Another CPU (portable)",
            "They were computed with different instruction sets",
        ),
    ] {
        let said = text_of(results);
        for words in [told, bits, "times are not compared", "not comparable", "Times are not compared"] {
            assert!(said.contains(words), "no {words:?} in {said}");
        }
        for words in ["trains in", "per second of"] {
            assert!(!said.contains(words), "{words:?} in {said}");
        }
        assert!(!names(results).contains(&"networks_times".to_owned()));
        typeset_and_count(results, &figures());
        let csv = crate::tables::draw_up(&Rows::new(results));
        let compared = csv.iter().find(|table| table.name == "networks_compared").unwrap();
        assert!(String::from_utf8_lossy(&compared.csv).lines().skip(1).all(|line| line.ends_with(",,")));
    }
    assert!(!text_of(&machines).contains("counted for more than one"));
    machines.origins.shared = 3;
    assert!(text_of(&machines).contains("three runs counted for more than one"));
    // The command that is printed makes the study again on a machine that has better instructions, too.
    let mut portable = one;
    portable.origins.machines[0].of.instructions = "portable".into();
    assert!(text_of(&portable).contains("--cpu portable"));
    assert!(!text_of(&machines).contains("--cpu"));
}

#[test]
fn networks_of_one_depth_are_never_called_deeper_or_shallower() {
    // Two networks of one size, of which the second is wrong more often, with these depths.
    let said = |depths: [usize; 2]| {
        let mut study = networks(&DIGITS, Shape { networks: 2, ..Shape::SMALL });
        study.cnns = None;
        let task = study.mlps.as_mut().unwrap();
        for (network, depth) in task.networks.iter_mut().zip(depths) {
            network.outcome.parameters = 10_000;
            network.widths = vec![10; depth];
        }
        let labels = task.networks[1].heads[0].labels.clone();
        for (i, (answer, label)) in task.networks[1].heads[0].predictions.iter_mut().zip(labels).enumerate() {
            *answer = if i % 4 == 0 { (label + 1) % 10 } else { label };
        }
        text_of(&study)
    };
    let equal = said([2, 2]);
    assert!(equal.contains("both networks are equally deep"), "{equal}");
    assert!(
        !equal.contains("shallower") && !equal.contains("deeper network") && !equal.contains("the deeper is"),
        "{equal}"
    );
    assert!(equal.contains("none of these is deeper than another"), "{equal}");
    let deeper = said([3, 2]);
    assert!(
        deeper.contains("the deeper network is better") && deeper.contains("the deeper is better"),
        "{deeper}"
    );
    let shallower = said([2, 3]);
    assert!(
        shallower.contains("the shallower network is better")
            && shallower.contains("the shallower is better")
    );
}
